#!/usr/bin/env python3
"""Make small, real Hugging Face caches in a folder, without the network.

usage: make_caches.py FOLDER

FOLDER/hub       a model repository (hf_hub_download, snapshot_download)
FOLDER/datasets  prepared datasets (csv, json, a hub dataset, a map result; if `datasets` is installed)
FOLDER/kernels   a pure-Python kernel (if `kernels` is installed)
FOLDER/files     the local files that the csv and json datasets were made from

A server on 127.0.0.1, in this process, speaks as much of the hub's API as the libraries ask for.
"""
import hashlib
import http.server
import importlib.util
import json
import os
import pathlib
import sys
import threading
import urllib.parse

METADATA = {"id": "_tiny_0123abc", "name": "tiny", "version": 1, "license": "MIT",
            "python-depends": [], "backend": {"type": "cpu"}}
# (kind, repository) -> {path: bytes}; each has one commit, named main and v1
REPOS = {
    ("models", "demo/model"): {"config.json": b'{"said": "hub"}\n', "sub/weights.bin": bytes(range(256)) * 16},
    ("datasets", "demo/rows"): {"train.jsonl": b'{"word": "one"}\n{"word": "two"}\n'},
    ("kernels", "demo/tiny"): {"build/torch-universal/__init__.py": b"def said():\n    return 'kernel'\n",
                               "build/torch-universal/metadata.json": json.dumps(METADATA).encode()},
}
CALLS = []


def shout(row):
    """The map function; it notes its calls, so a reader can tell a reused result from a new one."""
    CALLS.append(1)
    return {"loud": str(row["word"]).upper()}


def commit_of(kind, repo):
    return hashlib.sha1(repr((kind, repo, sorted(REPOS[kind, repo].items()))).encode()).hexdigest()


def blob_of(data):  # as git names it
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def entry_of(files, path):
    if path in files:
        return {"type": "file", "oid": blob_of(files[path]), "size": len(files[path]), "path": path}
    if any(name.startswith(path + "/") for name in files):
        return {"type": "directory", "oid": hashlib.sha1(path.encode()).hexdigest(), "size": 0, "path": path}
    return None


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        if os.environ.get("MAKE_CACHES_LOG"):
            sys.stderr.write(self.command + " " + self.path + "\n")

    def answer(self, body, status=200, **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        asked = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        url = urllib.parse.urlsplit(self.path)
        parts = urllib.parse.unquote(url.path).strip("/").removeprefix("api/").split("/")
        kind = parts.pop(0) if parts[0] in ("models", "datasets", "kernels") else "models"
        repo, verb, rest = "/".join(parts[:2]), (parts[2:3] or [""])[0], parts[3:]
        files = REPOS.get((kind, repo))
        if files is None:
            return self.answer({"error": "Repository not found"}, 404, X_Error_Code="RepoNotFound")
        sha = commit_of(kind, repo)
        if rest and rest[0] not in ("main", "v1", sha):
            return self.answer({"error": "Invalid rev id"}, 404, X_Error_Code="RevisionNotFound")
        path = "/".join(rest[1:])
        if verb == "resolve":
            if path not in files:
                return self.answer({"error": "Entry not found"}, 404, X_Error_Code="EntryNotFound", X_Repo_Commit=sha)
            return self.answer(files[path], ETag='"%s"' % blob_of(files[path]), X_Repo_Commit=sha)
        if verb == "refs":
            heads = [{"name": name, "ref": "refs/heads/" + name, "targetCommit": sha} for name in ("main", "v1")]
            return self.answer({"branches": heads, "tags": [], "converts": []})
        if verb == "paths-info":
            form = json.loads(asked) if asked.startswith("{") else urllib.parse.parse_qs(asked)
            return self.answer([e for e in (entry_of(files, p.strip("/")) for p in form.get("paths", [])) if e])
        if verb == "tree":
            inside = [name for name in files if not path or name.startswith(path + "/")]
            parents = {str(parent) for name in inside for parent in pathlib.PurePosixPath(name).parents}
            found = sorted(set(inside) | {p for p in parents if p != "." and len(p) > len(path)})
            if "recursive=true" not in url.query.lower():
                found = [name for name in found if "/" not in name[len(path):].strip("/")]
            return self.answer([entry_of(files, name) for name in found])
        return self.answer({"id": repo, "sha": sha, "private": False, "gated": False, "disabled": False, "tags": [],
                            "downloads": 0, "likes": 0, "siblings": [{"rfilename": name} for name in sorted(files)]})

    do_HEAD = do_POST = do_GET


def main(folder):
    folder = os.path.realpath(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in [n for n in os.environ if n.startswith(("HF_", "HUGGINGFACE_", "KERNELS_", "DO_NOT_"))]:
        del os.environ[name]
    os.environ.update(HF_HOME=folder, HF_ENDPOINT="http://127.0.0.1:%d" % server.server_port,
                      KERNELS_CACHE=folder + "/kernels", NO_PROXY="127.0.0.1", no_proxy="127.0.0.1",
                      HF_HUB_DISABLE_PROGRESS_BARS="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")
    # These are read at import. HF_HUB_DISABLE_TELEMETRY stays unset: with it, kernels 0.17.2 sends
    # a user agent that ends in "; ", which httpx2 refuses.
    import huggingface_hub

    huggingface_hub.hf_hub_download("demo/model", "config.json")
    try:
        huggingface_hub.hf_hub_download("demo/model", "absent.json")  # leaves a .no_exist mark
    except huggingface_hub.errors.EntryNotFoundError:
        huggingface_hub.snapshot_download("demo/model")
    files = pathlib.Path(folder, "files")
    files.mkdir(parents=True, exist_ok=True)
    (files / "rows.csv").write_text("word\none\ntwo\n")
    (files / "rows.jsonl").write_text('{"word": "one"}\n{"word": "two"}\n')
    if importlib.util.find_spec("datasets"):
        import datasets

        datasets.load_dataset("csv", data_files=str(files / "rows.csv"), split="train").map(shout)
        datasets.load_dataset("json", data_files=str(files / "rows.jsonl"))
        datasets.load_dataset("demo/rows")
    if importlib.util.find_spec("kernels"):
        import kernels

        # By revision, not by version: only this leaves refs/v1, which an offline version=1 needs.
        kernels.get_kernel("demo/tiny", revision="v1", trust_remote_code=True)
    print("made", folder)


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from make_caches import main  # so that shout has one name, make_caches.shout, here and for the reader

    main(sys.argv[1])
