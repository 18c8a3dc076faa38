// Keys that open an account (WebAuthn), and two buttons for the recovery codes. Every other part of the console works
// without a script; what needs one is hidden until this has run.

const bytesOf = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const textOf = (buffer) => {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

const withBytes = (listed) => (listed ?? []).map((one) => ({ ...one, id: bytesOf(one.id) }));

// What the server wrote as base64url is bytes for the browser (WebAuthn §5.4, §5.5).
const read = (options) => ({
  ...options,
  challenge: bytesOf(options.challenge),
  ...(options.user && { user: { ...options.user, id: bytesOf(options.user.id) } }),
  ...(options.excludeCredentials && { excludeCredentials: withBytes(options.excludeCredentials) }),
  ...(options.allowCredentials && { allowCredentials: withBytes(options.allowCredentials) }),
});

// And the reverse, for what the key answers (WebAuthn §5.1, RegistrationResponseJSON and AuthenticationResponseJSON).
const written = (credential) => {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const filled = parts.filter((part) => response[part]).map((part) => [part, textOf(response[part])]);
  return JSON.stringify({
    id: credential.id,
    rawId: textOf(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: {},
    response: { ...Object.fromEntries(filled), ...(response.getTransports && { transports: response.getTransports() }) },
  });
};

const asked = async (form) => {
  const answer = await fetch(form.dataset.options, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  // A session that has ended is answered by another page.
  if (!answer.ok || answer.redirected) throw new Error("no options");
  return read(await answer.json());
};

const useKey = async (form) => {
  const publicKey = await asked(form);
  const credential =
    form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey })
      : await navigator.credentials.get({ publicKey });
  form.elements.response.value = written(credential);
  form.submit();
};

const said = { NotAllowedError: "notAllowed", AbortError: "notAllowed", InvalidStateError: "known" };

const listen = (form) => {
  const problem = form.querySelector("[data-problem]");
  const waiting = form.querySelector("[data-waiting]");
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!form.reportValidity()) return; // its name is asked for before a key is made
    problem.hidden = true;
    button.disabled = true;
    waiting.textContent = waiting.dataset.waiting;
    try {
      await useKey(form);
    } catch (error) {
      waiting.textContent = "";
      problem.textContent = problem.dataset[said[error.name] ?? "failed"];
      problem.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
  form.hidden = false;
};

if (window.PublicKeyCredential && navigator.credentials) {
  for (const form of document.querySelectorAll("form[data-passkey]")) listen(form);
  for (const words of document.querySelectorAll("[data-no-passkey]")) words.hidden = true;
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", () => window.print());
  button.hidden = false;
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.addEventListener("click", async () => {
    const lines = document.getElementById(button.dataset.copy).querySelectorAll("li");
    await navigator.clipboard.writeText(Array.from(lines, (line) => line.textContent.trim()).join("\n"));
    document.querySelector("[data-copied]").textContent = button.dataset.done;
  });
  button.hidden = false;
}
document.documentElement.dataset.ready = "";
