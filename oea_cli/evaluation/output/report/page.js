// Events of media elements do not bubble, so they are caught on their way down.
document.addEventListener("play", (event) => {
  for (const player of document.querySelectorAll("audio")) {
    if (player !== event.target) player.pause();
  }
}, true);
document.addEventListener("error", (event) => {
  if (event.target.localName === "audio") event.target.nextElementSibling.hidden = false;
}, true);
