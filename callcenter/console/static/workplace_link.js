// The way to the server: a stream that says « look again », and looks by ourselves while there is none.

const POLL = 3_000; // milliseconds, while no stream stands
const AGAIN = 10_000; // after a stream was refused

export const link = (address, look) => {
  let source = null;
  const open = () => {
    source = new EventSource(address);
    source.addEventListener("look", look);
    source.addEventListener("over", look); // what is fetched then says that the session is over
    source.addEventListener("error", () => {
      // A browser comes back by itself after a break, and not after a refusal.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, AGAIN);
    });
  };
  open();
  setInterval(() => {
    if (source.readyState !== EventSource.OPEN) look();
  }, POLL);
};
