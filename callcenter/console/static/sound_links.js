// Real sound between pages: a connection for every leg that one hears, or that hears one. The carrier in a box says
// which there are, who begins, and who may be heard; the sound itself goes from page to page.
// The console has this very file too (a test compares them): neither room uses the other's.

/** The page's microphone: asked for when somebody is to hear, given back when nobody is. */
export class Microphone {
  #users = new Set();
  #opening = null;
  #onRefused;

  /** @param {(error: Error) => void} onRefused told when the browser or its user gives none */
  constructor(onRefused = () => {}) {
    this.#onRefused = onRefused;
  }

  /** The track, or null where there is none: then one hears without being heard. */
  take(user) {
    this.#users.add(user);
    this.#opening ??= this.#open();
    return this.#opening;
  }

  release(user) {
    if (!this.#users.delete(user) || this.#users.size) return;
    this.#opening?.then((track) => track?.stop());
    this.#opening = null;
  }

  get open() {
    return this.#opening !== null;
  }

  async #open() {
    try {
      if (!navigator.mediaDevices) throw new DOMException("no microphone outside of https and localhost", "NotAllowedError");
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
      return stream.getAudioTracks()[0];
    } catch (error) {
      this.#onRefused(error);
      return null;
    }
  }
}

/** The links of one leg. */
export class Links {
  #peers = new Map();
  #microphone;
  #send;
  #onFailed;
  #attended = true;
  #muted = false;
  #deaf = false;

  /**
   * @param {Microphone} microphone
   * @param {(link: number, signal: object) => void} send passes something on to the other page
   * @param {() => void} onFailed told when a connection does not come about
   */
  constructor(microphone, send, onFailed = () => {}) {
    this.#microphone = microphone;
    this.#send = send;
    this.#onFailed = onFailed;
  }

  /** Whether the page's one pair of ears, and its microphone, are with this leg. */
  set attended(attended) {
    if (this.#attended === attended) return;
    this.#attended = attended;
    for (const peer of this.#peers.values()) this.#direct(peer);
  }

  /** Whether nobody is to hear this leg, whatever the carrier says. */
  set muted(muted) {
    this.#muted = muted;
    for (const peer of this.#peers.values()) this.#direct(peer);
  }

  /** Whether nothing is to be played. */
  set deaf(deaf) {
    this.#deaf = deaf;
    for (const peer of this.#peers.values()) this.#direct(peer);
  }

  get count() {
    return this.#peers.size;
  }

  /** Have these links and no others. */
  update(links) {
    const wanted = new Map(links.map((link) => [link.link, link]));
    for (const [number, peer] of this.#peers) {
      if (wanted.has(number)) continue;
      peer.close();
      this.#peers.delete(number);
    }
    for (const [number, link] of wanted) {
      let peer = this.#peers.get(number);
      if (!peer) {
        peer = new Peer(link.offers, (signal) => this.#send(number, signal), this.#onFailed);
        this.#peers.set(number, peer);
      }
      peer.told = link;
      this.#direct(peer);
    }
    if (!this.#peers.size) this.#microphone.release(this);
  }

  /** Something that the other page has sent. */
  receive(number, signal) {
    this.#peers.get(number)?.receive(signal);
  }

  close() {
    this.update([]);
  }

  /** How loud what one hears is now, from 0 to 1. */
  level() {
    return Math.max(0, ...[...this.#peers.values()].map((peer) => peer.level()));
  }

  /** What has been heard so far, in the unit of the browser's statistics (`totalAudioEnergy`). */
  async energy() {
    const energies = await Promise.all([...this.#peers.values()].map((peer) => peer.energy()));
    return energies.reduce((sum, energy) => sum + energy, 0);
  }

  #direct(peer) {
    const { sends, hears } = peer.told;
    peer.listen(hears && this.#attended && !this.#deaf);
    peer.speak(sends && this.#attended && !this.#muted ? () => this.#microphone.take(this) : null);
  }
}

/** A connection to one other page. It is arranged once; a hold changes what goes over it, not the connection. */
class Peer {
  told = null;
  #connection = new RTCPeerConnection({ iceServers: [] }); // the pages are on one machine or in one house
  #audio = new Audio();
  #send;
  #early = []; // candidates that came before what they belong to
  #transceiver = null;
  #source = null;
  #hears = false;
  #work = Promise.resolve();
  #closed = false;

  constructor(offers, send, onFailed) {
    this.#send = send;
    const connection = this.#connection;
    connection.onicecandidate = ({ candidate }) => candidate?.candidate && send({ candidate: candidate.toJSON() });
    connection.ontrack = ({ track }) => this.#play(track);
    connection.onconnectionstatechange = () => connection.connectionState === "failed" && onFailed();
    if (offers) this.#then(() => this.#offer());
  }

  receive({ description, candidate }) {
    this.#then(() => (description ? this.#describe(description) : this.#hint(candidate)));
  }

  /** Let what is heard be heard, or not: whatever the other page sends. */
  listen(hears) {
    this.#hears = hears;
    this.#audio.muted = !hears;
    const track = this.#transceiver?.receiver.track;
    if (track) track.enabled = hears;
  }

  /** Send what a source gives, or nothing: whatever the other page plays. */
  speak(source) {
    this.#source = source;
    this.#speak();
  }

  level() {
    const [heard] = this.#hears ? (this.#transceiver?.receiver.getSynchronizationSources() ?? []) : [];
    return heard?.audioLevel ?? 0;
  }

  async energy() {
    const reports = this.#closed ? [] : [...(await this.#connection.getStats()).values()];
    return reports.find((report) => report.type === "inbound-rtp")?.totalAudioEnergy ?? 0;
  }

  close() {
    this.#closed = true;
    this.#connection.close();
    this.#audio.srcObject = null;
  }

  /** One thing after the other: an answer must not overtake what it answers. */
  #then(work) {
    this.#work = this.#work.then(() => (this.#closed ? undefined : work())).catch((error) => {
      if (!this.#closed) console.debug(`no sound with another page: ${error}`);
    });
  }

  async #offer() {
    this.#transceiver = this.#connection.addTransceiver("audio", { direction: "sendrecv" });
    await this.#connection.setLocalDescription();
    this.#tell();
    this.#speak();
  }

  async #describe(description) {
    await this.#connection.setRemoteDescription(description);
    if (description.type === "offer") {
      [this.#transceiver] = this.#connection.getTransceivers();
      this.#transceiver.direction = "sendrecv";
      await this.#connection.setLocalDescription();
      this.#tell();
      this.#speak();
    }
    this.listen(this.#hears);
    for (const candidate of this.#early.splice(0)) await this.#connection.addIceCandidate(candidate);
  }

  async #hint(candidate) {
    if (this.#connection.remoteDescription) await this.#connection.addIceCandidate(candidate);
    else if (this.#early.length < 100) this.#early.push(candidate);
  }

  #tell() {
    const { type, sdp } = this.#connection.localDescription;
    this.#send({ description: { type, sdp } });
  }

  /** Beside the rest: nothing waits for somebody who is being asked for their microphone. */
  async #speak() {
    const sender = this.#transceiver?.sender;
    if (!sender) return;
    const source = this.#source;
    const track = source ? await source() : null;
    // Whoever was put on hold while they were asked does not speak now.
    if (!this.#closed && source === this.#source) await sender.replaceTrack(track).catch(() => {});
  }

  #play(track) {
    track.enabled = this.#hears;
    this.#audio.srcObject = new MediaStream([track]);
    this.#audio.muted = !this.#hears;
    const again = () => this.#closed || this.#audio.play().catch(() => {});
    // A page that nobody has touched yet may not play: it does so at the first touch.
    this.#audio.play().catch(() => {
      for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, again, { once: true });
    });
  }
}
