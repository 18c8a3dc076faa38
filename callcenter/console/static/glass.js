// What broken glass has shown leaves the page in time, and before the browser keeps the page for « back ».
// Without this script the page goes on by itself after the same minute (Refresh).

const shown = document.getElementById("ouvert");

const hide = () => shown.querySelectorAll("dl, dl + p").forEach((part) => part.remove());

shown.focus();
setTimeout(hide, Number(shown.dataset.seconds) * 1000);
addEventListener("pagehide", hide);
