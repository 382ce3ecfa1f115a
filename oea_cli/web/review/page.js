"use strict";
const $ = (id) => document.getElementById(id);
const VERDICTS = [["valid", "Valid hard negative"], ["same", "Same sound"], ["unsure", "Unsure"]];
const RATINGS = [1, 2, 3, 4, 5].map((rating) => [rating, String(rating)]);
let state = null; // the annotator's progress
let shown = null; // the item on the page
let sides = []; // its players
let busy = false;

// The link's token has been used; it must not stay in the history.
history.replaceState(null, "", "/");

async function ask(path, body) {
  let response;
  try {
    response = await fetch(path, body === undefined ? {} : {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("oea review does not answer; is it still running in the terminal?");
  }
  const text = await response.text();
  let answer;
  try { answer = JSON.parse(text); } catch { answer = { problem: text }; }
  if (!response.ok) throw new Error(answer.problem);
  return answer;
}

function tell(problem) {
  $("problem").textContent = problem;
  $("problem").hidden = !problem;
}

// One action at a time: a key that is pressed twice must not judge two items.
async function alone(action) {
  if (busy) return;
  busy = true;
  try {
    await action();
    tell("");
  } catch (error) {
    tell(error.message);
  } finally {
    busy = false;
  }
}

function show(id) {
  for (const other of ["enter", "finished", "item"]) $(other).hidden = other !== id;
}

async function follow(answer) {
  state = answer;
  $("who").hidden = !state.annotator;
  $("change").hidden = state.fixed;
  $("name").textContent = state.annotator || "";
  $("progress").textContent = state.annotator ? `${state.done} of ${state.total} judged` : "";
  $("share").max = state.total;
  $("share").value = state.done;
  $("output").textContent = state.output;
  $("undo").disabled = !state.undo;
  if (!state.annotator) {
    enter();
  } else if (state.place === null) {
    finish();
  } else {
    await present(state.place);
  }
}

function enter() {
  $("cancel").hidden = !state.annotator;
  show("enter");
  $("annotator").focus();
}

function finish() {
  stop();
  shown = null;
  show("finished");
  $("finished-heading").focus();
}

async function present(place) {
  const item = await ask(`/items/${place}`);
  stop();
  shown = item;
  const isPair = state.kind === "verdict";
  $("place").textContent = `Item ${place + 1} of ${state.total}`;
  $("type").textContent = item.type || "";
  $("type").hidden = !item.type;
  $("question").textContent = isPair ? "Is B a hard negative of A?" : item.text;
  $("explanation").textContent = isPair
    ? "A hard negative sounds like A but is something else: A's captions do not describe B."
    : "How well does this query describe the clip?" + (item.sides.length > 1 ? " It should match A and exclude B." : "");
  $("legend").textContent = isPair ? "Your verdict" : "Your rating, from 1 (not at all) to 5 (perfectly)";
  $("stored").hidden = item.value === null;
  $("previous").disabled = place === 0;
  $("next").disabled = place + 1 === state.total && state.done < state.total;
  $("answers").replaceChildren(...answersOf(isPair ? VERDICTS : RATINGS, item.value));
  sides = item.sides.map((side, number) => new Side(side, number, item.sides.length > 1));
  $("sides").replaceChildren(...sides.map((side) => side.element));
  show("item");
  window.scrollTo(0, 0);
  $("question").focus({ preventScroll: true });
}

function answersOf(choices, value) {
  return choices.map(([answer, label], number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.answer = answer;
    button.setAttribute("aria-pressed", String(answer === value));
    button.textContent = label;
    if (label !== String(number + 1)) {
      const key = document.createElement("kbd");
      key.textContent = number + 1;
      button.append(key);
    }
    button.addEventListener("click", () => judge(answer));
    return button;
  });
}

const judge = (value) => alone(async () => {
  const body = { annotator: state.annotator, item: shown.item, value };
  await follow(await ask("/verdicts", body));
});

const undo = () => alone(async () => {
  if (state.undo) await follow(await ask("/undo", { annotator: state.annotator }));
});

const move = (step) => alone(async () => {
  const place = shown ? shown.place + step : state.total - 1;
  if (place >= 0 && place < state.total) await present(place);
  else if (place === state.total && state.done === state.total) finish();
});

// --- sounds ---

class Side {
  constructor(side, number, isOneOfTwo) {
    this.element = $("side").content.firstElementChild.cloneNode(true);
    this.letter = isOneOfTwo ? "AB"[number] : "";
    this.key = "ab"[number];
    const find = (name) => this.element.querySelector(name);
    this.audio = find("audio");
    this.seek = find(".seek");
    this.button = find(".play");
    const name = this.letter || "the clip";
    find(".letter").textContent = this.letter;
    find(".role").textContent = side.role;
    find(".id bdi").textContent = side.id;
    find(".captions").replaceChildren(...side.captions.map((caption) => {
      const line = document.createElement("li");
      const text = document.createElement("bdi");
      text.textContent = caption;
      line.append(text);
      return line;
    }));
    this.button.append(`Play ${this.letter}`.trim());
    const key = document.createElement("kbd");
    key.textContent = this.key;
    this.button.append(key);
    this.button.setAttribute("aria-label", `Play ${name} from its start`);
    this.seek.setAttribute("aria-label", `Position in ${name}`);
    find("canvas").setAttribute("aria-label", `Spectrogram of ${name}`);
    this.seconds = 0;
    this.picture = null;
    if (side.sound === null) {
      this.fail(side.problem);
      return;
    }
    this.source = `/sounds/${side.sound}`;
    this.audio.src = this.source;
    this.audio.addEventListener("error", () => this.retry());
    this.audio.addEventListener("playing", () => this.follow());
    for (const event of ["pause", "ended"]) {
      this.audio.addEventListener(event, () => this.element.classList.remove("playing"));
    }
    this.button.addEventListener("click", () => this.play());
    this.seek.addEventListener("input", () => this.jump(Number(this.seek.value)));
    find(".picture").addEventListener("click", (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      this.jump((event.clientX - box.left) / box.width);
    });
    this.look();
  }

  async look() {
    const picture = await ask(`${this.source}/picture`).catch((error) => ({ problem: error.message }));
    if (picture.problem) {
      this.fail(picture.problem);
      return;
    }
    this.picture = picture;
    this.seconds = this.picture.seconds;
    this.tick();
    this.draw();
  }

  fail(problem) {
    this.element.querySelector(".sound").hidden = true;
    const message = this.element.querySelector(".unheard");
    message.textContent = `This sound cannot be played: ${problem}`;
    message.hidden = false;
    this.source = null;
  }

  // The server converts what this browser cannot play.
  retry() {
    if (!this.source || this.audio.src.endsWith("/wav")) {
      if (this.source) this.fail("this browser cannot decode it");
      return;
    }
    this.audio.src = `${this.source}/wav`;
    if (this.wanted) this.begin(this.wanted.at);
  }

  play() { this.begin(0); }

  jump(share) { this.begin(share * this.seconds); }

  async begin(at) {
    if (!this.source) return;
    stop();
    this.wanted = { at };
    this.element.classList.add("playing", "started");
    try {
      this.audio.currentTime = at;
      await this.audio.play();
    } catch (error) {
      if (error.name !== "AbortError" && error.name !== "NotSupportedError") tell(`Not played: ${error.message}`);
    }
  }

  stop() {
    this.wanted = null;
    this.audio.pause();
    this.element.classList.remove("playing");
  }

  follow() {
    this.tick();
    if (!this.audio.paused && !this.audio.ended) requestAnimationFrame(() => this.follow());
  }

  tick() {
    const at = this.audio.currentTime || 0;
    const share = this.seconds ? Math.min(at / this.seconds, 1) : 0;
    this.seek.value = share;
    this.seek.setAttribute("aria-valuetext", `${at.toFixed(1)} seconds`);
    this.element.querySelector(".head").style.left = `${100 * share}%`;
    this.element.querySelector(".time").textContent = `${clock(at)} / ${clock(this.seconds)}`;
  }

  draw() {
    if (!this.picture) return;
    const { bands, columns, levels } = this.picture;
    const bytes = Uint8Array.from(atob(levels), (letter) => letter.charCodeAt(0));
    const canvas = this.element.querySelector("canvas");
    canvas.width = columns;
    canvas.height = bands;
    const context = canvas.getContext("2d");
    const image = context.createImageData(columns, bands);
    const colours = ramp();
    for (let band = 0; band < bands; band++) {
      for (let column = 0; column < columns; column++) {
        const colour = colours[bytes[band * columns + column]];
        image.data.set(colour, 4 * ((bands - 1 - band) * columns + column));
      }
    }
    context.putImageData(image, 0, 0);
  }
}

// 256 colours from the style sheet's --soft over --mid to --loud.
function ramp() {
  const style = getComputedStyle(document.documentElement);
  const [low, mid, high] = ["--soft", "--mid", "--loud"].map((name) => {
    const hex = style.getPropertyValue(name).trim().slice(1);
    return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
  });
  return Array.from({ length: 256 }, (_, level) => {
    const share = level / 127.5;
    const [from, to, part] = share < 1 ? [low, mid, share] : [mid, high, share - 1];
    return [...from.map((value, n) => value + (to[n] - value) * part), 255];
  });
}

function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(1).padStart(4, "0")}`;
}

function stop() {
  for (const side of sides) side.stop();
}

// --- keys and buttons ---

const KEYS = {
  a: () => sides[0] && sides[0].play(),
  b: () => sides[1] && sides[1].play(),
  s: stop,
  n: () => move(1),
  p: () => move(-1),
  u: undo,
  ArrowRight: () => move(1),
  ArrowLeft: () => move(-1),
};

document.addEventListener("keydown", (event) => {
  const inText = event.target.matches("#annotator");
  const arrow = event.key.startsWith("Arrow");
  if (inText || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (!state || !state.annotator || !$("enter").hidden) return;
  if (arrow && event.target.matches(".seek")) return;
  const answer = shown && $("answers").children[Number(event.key) - 1];
  const action = answer ? () => answer.click() : KEYS[event.key.length > 1 ? event.key : event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
});
$("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  alone(async () => follow(await ask("/annotator", { name: $("annotator").value })));
});
$("change").addEventListener("click", () => {
  stop();
  shown = null;
  $("annotator").value = "";
  enter();
});
$("cancel").addEventListener("click", () => alone(() => follow(state)));
$("previous").addEventListener("click", () => move(-1));
$("next").addEventListener("click", () => move(1));
$("undo").addEventListener("click", undo);
$("stop").addEventListener("click", stop);
$("again").addEventListener("click", () => move(-1));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const side of sides) side.draw();
});
alone(async () => follow(await ask("/state")));
