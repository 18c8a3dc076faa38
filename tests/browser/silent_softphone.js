// A softphone of the carrier in a box that carries no voice: for tests of the page around it.

export const open = ({ token, endpoint, onState }) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(endpoint);
    const told = { called: null };
    const tell = (message) => socket.send(JSON.stringify(message));
    socket.onopen = () => tell({ type: "open", token });
    socket.onerror = reject;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "opened") {
        resolve({
          connect: ({ offer }) =>
            new Promise((placed) => {
              told.called = ({ call }) => {
                window.legs = [...(window.legs ?? []), call];
                placed({
                  hangUp: () => tell({ type: "hang_up", call }),
                  mute: (muted) => tell({ type: "mute", call, muted }),
                  level: () => 0,
                });
              };
              tell({ type: "connect", parameters: { offer } });
            }),
          close: () => socket.close(),
        });
      }
      if (message.type === "calling") told.called(message);
      if (message.type === "call") onState(message.state);
    };
  });
