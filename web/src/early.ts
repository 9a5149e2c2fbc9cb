/* Runs in the head of the page, by itself: opens the socket and asks the first question while the
 * page is still being read, so that the answer is there when the rest of the script is. main.tsx
 * takes over. */

export interface Early {
  socket: WebSocket;
  heard: MessageEvent[];
  asked: string;
}

declare global {
  interface Window {
    early?: Early | undefined;
  }
}

const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws`, "pulseboard.v1");
const early: Early = (window.early = { socket, heard: [], asked: "" });
socket.onopen = () =>
  socket.send((early.asked = '{"jsonrpc":"2.0","id":1,"method":"info","params":{}}'));
socket.onmessage = (e) => early.heard.push(e);
