#!/bin/sh
# The coding agent pi, run once and not interactively (`pi -p --mode json`), against a model server that refuses its key. Expected: an
# exit code other than 0, as Claude Code, Codex, Gemini CLI, OpenCode and Qwen Code end. Seen with @earendil-works/pi-coding-agent
# 1.6.0: exit code 0 with nothing on stderr; only the last message on stdout says stopReason "error". A script that goes by the exit
# code takes the failure for work done.
# Node 24 on Linux 6.18. Needs npm and python3; installs into a temporary folder, and speaks with nobody but a server of its own.
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" @earendil-works/pi-coding-agent@1.6.0
cat >"$folder/server.py" <<'PYTHON'
import http.server
import sys


class Refuses(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b'{"error": {"message": "wrong key", "type": "authentication_error"}}'
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Refuses)
with open(sys.argv[1], "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
PYTHON
mkfifo "$folder/port"
python3 "$folder/server.py" "$folder/port" &
server=$!
port=$(cat "$folder/port")
mkdir -p "$folder/agent" "$folder/work"
cat >"$folder/agent/models.json" <<JSON
{"providers": {"mine": {"baseUrl": "http://127.0.0.1:$port/v1", "api": "openai-completions", "apiKey": "wrong",
  "models": [{"id": "model", "name": "Model", "contextWindow": 100000, "maxTokens": 8000,
    "cost": {"input": 1, "output": 1, "cacheRead": 0, "cacheWrite": 0}}]}}}
JSON
code=0
(cd "$folder/work" && echo 'Say hello.' | HOME="$folder" PI_CODING_AGENT_DIR="$folder/agent" PATH="$folder/node_modules/.bin:$PATH" \
  timeout 120 pi -p --mode json --no-session --offline --provider mine --model model) >"$folder/out" 2>"$folder/err" || code=$?
reason=$(grep -o '"stopReason":"[a-z]*"' "$folder/out" | tail -1)
echo "pi 1.6.0, key refused: exit code $code, $reason, $(wc -c <"$folder/err") bytes on stderr"
[ "$code" = 0 ] && [ "$reason" = '"stopReason":"error"' ] || { tail -3 "$folder/out"; cat "$folder/err"; exit 1; }
