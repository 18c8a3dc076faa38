// Lines that are forwarded, and forwarding one.
import { h, icon, show } from "./dom.js";
import { ask, attempt, get, post, toast } from "./http.js";
import { network, readable } from "./numbers.js";

const WHEN = ["always", "busy", "unanswered"];

export class Forwardings {
  #store;
  #list = h("ul", { class: "forwardings" });
  #empty = h("p", { class: "empty", t: "no_forwardings" });
  #form = null;

  constructor(store) {
    this.#store = store;
    const title = h("h2", { id: "forwardings-title", t: "forwardings" });
    const intro = h("p", { class: "intro", t: "forwardings_intro" });
    document.getElementById("forwardings").append(title, intro, this.#empty, this.#list);
  }

  async load() {
    if (!this.#form) document.getElementById("forwardings").append((this.#form = this.#build()));
    const answer = await attempt(() => get("/forwardings"));
    if (!answer) return;
    this.#list.replaceChildren(...answer.forwardings.map((forwarding) => this.#row(forwarding)));
    show(this.#empty, answer.forwardings.length === 0);
  }

  #row(forwarding) {
    const { line, to, when, after } = forwarding;
    const remove = h("button", { type: "button", class: "tool", label: ["unforward", { line: this.#name(line) }] }, icon("close"));
    remove.addEventListener("click", async () => {
      await attempt(() => ask("DELETE", `/forwardings?${new URLSearchParams({ line, when })}`));
      await this.load();
    });
    const condition = h("p", { class: "fine" }, h("span", { t: `when_${when}` }));
    if (when === "unanswered" && after) condition.append(` · ${after}\u00a0s`);
    condition.append(" · ", h("span", { t: `caller_${forwarding.caller ?? "kept"}` }));
    const route = h("p", {}, h("strong", {}, this.#name(line)), " → ", h("strong", {}, this.#name(to)));
    return h("li", {}, h("div", {}, route, condition), remove);
  }

  #name(number) {
    const name = this.#store.named(number);
    return name ? `${name} (${readable(number)})` : readable(number);
  }

  #build() {
    const { telephones, lines } = this.#store.presets;
    const known = h("datalist", { id: "known-numbers" });
    known.append(...[...lines, ...telephones].map((one) => h("option", { value: readable(one.number) }, one.name)));
    const number = (name) => h("input", { type: "tel", name, list: known.id, required: true, autocomplete: "off" });
    const choice = (name, values) => h("select", { name }, ...values.map((value) => h("option", { value, t: `${name}_${value}` })));
    const after = h("input", { type: "number", name: "after", min: 1, max: 120, value: 20 });
    const when = choice("when", WHEN);
    const field = (words, input) => h("label", {}, h("span", { t: words }), input);
    const delay = field("after", after);
    show(delay, false);
    when.addEventListener("change", () => show(delay, when.value === "unanswered"));
    const reported = h("label", { class: "check" }, h("input", { type: "checkbox", name: "reported", checked: true }), h("span", { t: "reported" }));
    const submit = h("button", { type: "submit", class: "action green", t: "forward" });
    return h(
      "form",
      { class: "forwarding", on: { submit: (event) => this.#save(event) } },
      known,
      field("line", number("line")),
      field("to", number("to")),
      field("when", when),
      delay,
      field("caller", choice("caller", ["kept", "replaced"])),
      reported,
      submit,
    );
  }

  async #save(event) {
    event.preventDefault();
    const given = new FormData(this.#form);
    const order = {
      line: network(given.get("line")),
      to: network(given.get("to")),
      when: given.get("when"),
      caller: given.get("caller"),
      reported: given.has("reported"),
    };
    if (order.when === "unanswered") order.after = Number(given.get("after"));
    if (!(await attempt(() => post("/forwardings", order)))) return;
    toast(["forwarded", {}]);
    this.#form.reset();
    await this.load();
  }
}
