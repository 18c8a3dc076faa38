// The carrier's own telephone (Voice JavaScript SDK 2): the port of softphone.js over `Twilio.Device`.

export const open = async ({ token, renew, endpoint, onState, onFault }) => {
  const { Device } = window.Twilio ?? {}; // the carrier's own file, if it is installed
  if (!Device) throw new Error("missing");
  const device = new Device(token, { edge: endpoint, closeProtection: false, logLevel: "error", sounds: {} });
  device.on("tokenWillExpire", async () => {
    try {
      device.updateToken(await renew());
    } catch {
      // A leg that stands goes on without a pass; the next one asks for its own.
    }
  });
  device.on("error", onFault);
  return {
    async connect({ offer }) {
      device.updateToken(await renew());
      const call = await device.connect({ params: { offer } });
      let level = 0;
      call.on("volume", (_, received) => {
        level = received;
      });
      call.on("accept", () => onState("open"));
      for (const end of ["disconnect", "cancel", "reject"]) call.on(end, () => onState("over"));
      call.on("error", onFault);
      return { hangUp: () => call.disconnect(), mute: (on) => call.mute(on), level: () => level };
    },
    close: () => device.destroy(),
  };
};
