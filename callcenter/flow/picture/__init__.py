"""A flow as a picture: what stands in it, where, and the words beside it. ``flow.draw`` puts it together."""
