// Loaded into Azurite's process before Azurite (node --require). Standard input is a pipe that only the engine holds: when
// the engine dies, however it dies, the pipe ends, and Azurite is told to save its index and end, once. Azurite takes
// SIGTERM once and dies of a second; with a listener of ours, a second one changes nothing.
let ending = false;

process.on("SIGTERM", () => {
  ending = true;
});

function engineIsGone() {
  if (!ending) process.kill(process.pid, "SIGTERM");
}

process.stdin.on("end", engineIsGone);
process.stdin.on("error", engineIsGone);
process.stdin.resume();
if (process.stdin.unref) process.stdin.unref();
