// The sound of ringing, made here: two tones, a pause, again, until it is told to stop.

let context = null;
let timer = null;

const beat = () => {
  const begin = context.currentTime;
  for (const [at, pitch] of [[0, 660], [0.22, 550], [0.44, 660], [0.66, 550]]) {
    const tone = context.createOscillator();
    const loudness = context.createGain();
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.0001, begin + at);
    loudness.gain.exponentialRampToValueAtTime(0.2, begin + at + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, begin + at + 0.2);
    tone.connect(loudness).connect(context.destination);
    tone.start(begin + at);
    tone.stop(begin + at + 0.21);
  }
};

// Browsers let a page sound once its reader has touched it.
for (const touch of ["pointerdown", "keydown"]) {
  addEventListener(touch, () => {
    context ??= new AudioContext();
    context.resume();
  });
}

export const ring = (on) => {
  if (on === (timer !== null)) return;
  if (!on) {
    clearInterval(timer);
    timer = null;
    return;
  }
  context ??= new AudioContext();
  context.resume();
  beat();
  timer = setInterval(beat, 2_500);
};

export const isRinging = () => timer !== null;
