// The live page. Both streams are read with fetch, as only so a token can go along in a header:
// neither cookies nor addresses with secrets in them are needed.

const WORDS = { mask: "mask", no_mask: "no mask", unsure: "unsure" };
const RETRY_MS = 2000;
const MOST_RECENT = 20;
const SILENT_MS = 15000;

const $ = (id) => document.getElementById(id);
const encoder = new TextEncoder();

let token = takeToken();
let watching = null; // ends both streams when it is aborted
let isPaused = false;
let shownSize = "";

// A link may carry the token behind the "#", which browsers do not send to servers.
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    history.replaceState(null, "", location.pathname);
    sessionStorage.setItem("token", given);
  }
  return given || sessionStorage.getItem("token") || localStorage.getItem("token") || "";
}

class Refused extends Error {}

async function ask(path, signal) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(path, { headers, signal, cache: "no-store" });
  if (response.ok) return response;
  const why = await response.json().then((body) => body.error, () => response.statusText);
  if (response.status === 401 || response.status === 429) throw new Refused(why);
  throw new Error(why);
}

// ---- streams

async function* chunks(body) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { value, done } = await soon(reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// A server that says nothing for long is gone, even if nobody has told the browser.
function soon(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), SILENT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function joined(one, other) {
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}

function indexOf(bytes, wanted) {
  outer: for (let at = 0; at + wanted.length <= bytes.length; at++) {
    for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) continue outer;
    return at;
  }
  return -1;
}

const HEAD_END = encoder.encode("\r\n\r\n");

async function* pictures(body) {
  let rest = new Uint8Array(0);
  for await (const chunk of chunks(body)) {
    rest = joined(rest, chunk);
    for (;;) {
      const end = indexOf(rest.subarray(0, 1024), HEAD_END);
      if (end < 0) break;
      const head = new TextDecoder().decode(rest.subarray(0, end));
      const length = Number(/Content-Length: (\d+)/i.exec(head)[1]);
      const begin = end + HEAD_END.length;
      if (rest.length < begin + length + 2) break;
      yield rest.slice(begin, begin + length);
      rest = rest.slice(begin + length + 2);
    }
  }
}

async function* messages(body) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks(body)) {
    rest += decoder.decode(chunk, { stream: true });
    const parts = rest.split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(part) || [];
      if (name) yield [name, JSON.parse(data)];
    }
  }
}

// ---- what is shown

async function showPictures(signal) {
  const response = await ask("api/stream", signal);
  for await (const jpeg of pictures(response.body)) {
    const image = $("picture");
    const before = image.src;
    image.src = URL.createObjectURL(new Blob([jpeg], { type: "image/jpeg" }));
    await image.decode().catch(() => {});
    if (before) URL.revokeObjectURL(before);
    image.hidden = false;
    image.classList.remove("stale");
    $("notice").hidden = true;
    const size = `${image.naturalWidth}x${image.naturalHeight}`;
    if (size !== shownSize) {
      shownSize = size;
      image.width = image.naturalWidth;
      image.height = image.naturalHeight;
    }
  }
}

async function showMessages(signal) {
  const response = await ask("api/events", signal);
  for await (const [name, data] of messages(response.body)) {
    if (name === "state") showState(data);
    else addRecent([data]);
  }
}

function showState(state) {
  const { camera } = state;
  setLink(camera.state === "seeing" ? "live" : `camera ${camera.state}`, camera.state !== "seeing");
  showPeople(state.people);
  for (const verdict of Object.keys(WORDS)) setText($(`today-${verdict}`), state.today[verdict]);
  setText($("since"), clock(state.today.since));
  $("since").dateTime = state.today.since;
  showHealth(state);
  if (!$("recent").children.length) addRecent(state.recent);
}

function showPeople(people) {
  const counts = Object.entries(WORDS)
    .map(([verdict, words]) => [people.filter((one) => one.verdict === verdict).length, words])
    .filter(([count]) => count)
    .map(([count, words]) => `${count} ${words}`);
  const summary = counts.length ? counts.join(", ") : "nobody in sight";
  setText($("summary"), summary); // a live region: said aloud only when it changes
  $("picture").alt = `Live picture: ${summary}`;
  $("people").replaceChildren(...people.map(personItem));
}

function personItem(person) {
  const item = document.createElement("li");
  item.className = person.verdict;
  const verdict = document.createElement("span");
  verdict.className = "verdict";
  verdict.textContent = `${WORDS[person.verdict]} ${Math.round(100 * person.score)} %`;
  item.append(`Person ${person.id}: `, verdict, `, for ${spell(person.seconds)}`);
  return item;
}

function showHealth({ camera, board, model, version, uptime_seconds, viewers }) {
  const size = camera.width_px ? `, ${camera.width_px}×${camera.height_px}` : "";
  const hot = board.temperature_celsius;
  const facts = [
    ["Camera", camera.error ? `${camera.state}: ${camera.error}` : camera.state + size,
      camera.state !== "seeing"],
    ["Frames", `${camera.frames_per_second} a second`],
    ["Model", `${model.file} (${model.variant}, ${model.sha256.slice(0, 8)})`],
    ["Heat", hot === null ? "not told by this board" : `${Math.round(hot)} °C`, hot >= 80],
    ["Power", board.slowed_down === null ? "not told by this board"
      : board.slowed_down.join(", ") || "good", Boolean(board.slowed_down?.length)],
    ["Memory", board.memory_mb === null ? "not told" : `${Math.round(board.memory_mb)} MB`],
    ["Running", `for ${spell(uptime_seconds)}, version ${version}`],
    ["Viewers", String(viewers.picture)],
  ];
  const list = $("health");
  if (list.children.length !== 2 * facts.length) {
    list.replaceChildren(...facts.flatMap(([name]) => [pair("dt", name), pair("dd", "")]));
  }
  facts.forEach(([, text, isBad], at) => {
    const place = list.children[2 * at + 1];
    setText(place, text);
    place.classList.toggle("bad", Boolean(isBad));
  });
}

function pair(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function addRecent(events) {
  const list = $("recent");
  for (const event of events) {
    const time = document.createElement("time");
    time.dateTime = event.time;
    time.textContent = clock(event.time);
    const item = document.createElement("li");
    item.append(time, event.text);
    list.prepend(item);
  }
  while (list.children.length > MOST_RECENT) list.lastChild.remove();
}

function setText(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

function setLink(text, isBad) {
  setText($("link"), text);
  $("link").classList.toggle("bad", isBad);
}

function clock(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function spell(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

// ---- watching, only while the page is seen

function setStale(text) {
  $("picture").classList.add("stale");
  $("notice").hidden = false;
  setText($("notice"), text);
}

async function keep(show, signal, onEnd) {
  while (!signal.aborted) {
    try {
      await show(signal);
      throw new Error("the connection ended");
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused) return askForToken(error.message);
      onEnd(error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function watch() {
  watching?.abort();
  watching = null;
  if (document.hidden || !$("ask").hidden) return;
  watching = new AbortController();
  const { signal } = watching;
  keep(showMessages, signal, (why) => setLink(`no connection: ${why}`, true));
  if (isPaused) setStale("paused");
  else keep(showPictures, signal, (why) => setStale(why));
}

function askForToken(why) {
  watching?.abort();
  $("ask").hidden = false;
  $("board").hidden = true;
  setText($("ask-why"), token ? why : "");
  setLink("a token is needed", true);
  $("token").focus();
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  sessionStorage.setItem("token", token);
  if ($("keep").checked) localStorage.setItem("token", token);
  else localStorage.removeItem("token");
  $("token").value = "";
  $("ask").hidden = true;
  $("board").hidden = false;
  watch();
});

$("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  $("pause").setAttribute("aria-pressed", String(isPaused));
  watch();
});

$("save").addEventListener("click", async () => {
  setText($("saved"), "");
  try {
    const response = await ask("api/snapshot");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = `maskwatch-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.jpg`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    setText($("saved"), "saved");
  } catch (error) {
    setText($("saved"), error.message);
  }
});

document.addEventListener("visibilitychange", watch);
watch();
