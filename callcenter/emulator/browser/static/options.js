// What can be set about one telephone: whose it is, whether its number is shown, how time passes on its calls.
import { fresh, h, show } from "./dom.js";
import { toast } from "./http.js";
import { network, readable } from "./numbers.js";

export class Settings {
  #line;
  #rack;
  #telephone;
  #opener = null;

  constructor(line, rack, telephone) {
    this.#line = line;
    this.#rack = rack;
    this.#telephone = telephone;
    this.element = h("div", { class: "options", id: fresh("options") });
    show(this.element, false);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        this.toggle(this.#opener);
        this.#opener.focus();
      }
    });
  }

  toggle(opener) {
    this.#opener = opener;
    const open = this.element.hidden;
    opener.setAttribute("aria-controls", this.element.id);
    opener.setAttribute("aria-expanded", String(open));
    if (open) this.element.replaceChildren(...this.#fields());
    show(this.element, open);
    if (open) this.element.querySelector("select, input").focus();
  }

  #fields() {
    const remove = h("button", { type: "button", class: "quiet danger", t: "remove" });
    remove.addEventListener("click", () => this.#rack.remove(this.#telephone));
    return [
      this.#whose(),
      this.#check("withheld", "withheld"),
      this.#check("fast", "fast", "fast_hint"),
      this.#through(),
      remove,
    ];
  }

  #whose() {
    const { telephones } = this.#rack.store.presets;
    const known = telephones.some((one) => one.number === this.#line.number);
    const select = h("select", {}, ...telephones.map((one) => h("option", { value: one.number }, `${one.name} · ${readable(one.number)}`)));
    select.append(h("option", { value: "", t: "other_number" }));
    select.value = known ? this.#line.number : "";
    const own = h("input", { type: "tel", label: "own_number", value: readable(this.#line.number), autocomplete: "off" });
    show(own, !known);
    select.addEventListener("change", () => {
      show(own, select.value === "");
      if (select.value) this.#renumber(select.value, select);
      else own.select();
    });
    own.addEventListener("change", () => this.#renumber(network(own.value), own));
    return h("label", {}, h("span", { t: "whose" }), select, own);
  }

  #renumber(number, field) {
    const problem = !/^\+?\d{2,15}$/.test(number) ? "no_number" : this.#rack.taken(number, this.#telephone) ? "taken_number" : null;
    field.setAttribute("aria-invalid", String(Boolean(problem)));
    if (problem) toast([problem, {}]);
    else this.#rack.renumber(this.#telephone, number);
  }

  #check(name, words, hint) {
    const box = h("input", { type: "checkbox", checked: Boolean(this.#line[name]) });
    box.addEventListener("change", () => this.#change(name, box.checked));
    const label = h("label", { class: "check" }, box, h("span", { t: words }));
    if (!hint) return label;
    const explained = h("p", { id: fresh("hint"), class: "fine", t: hint });
    box.setAttribute("aria-describedby", explained.id);
    return h("div", {}, label, explained);
  }

  #through() {
    const field = h("input", { type: "tel", value: this.#line.through ?? "", autocomplete: "off" });
    field.addEventListener("change", () => this.#change("through", field.value.trim()));
    return h("label", {}, h("span", { t: "through" }), field);
  }

  #change(name, value) {
    this.#line[name] = value;
    this.#rack.save();
    this.#telephone.update();
  }
}
