#!/usr/bin/env python3
"""Read the caches that make_caches.py made, offline.

usage: read_caches.py FOLDER

Prints one line `said NAME yes|no` for each thing, and why for each no. Where HF_HOME,
HF_HUB_CACHE, HF_DATASETS_CACHE or KERNELS_CACHE is set it wins over FOLDER; FIXTURE_FILES is the
folder with rows.csv and rows.jsonl (else FOLDER/files). A *_reused line tells whether a prepared
dataset was taken from the cache, rather than prepared again.
"""
import os
import pathlib
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
folder = os.path.abspath(sys.argv[1])
for variable, name in (("HF_HUB_CACHE", "/hub"), ("HF_DATASETS_CACHE", "/datasets"), ("KERNELS_CACHE", "/kernels")):
    if variable == "KERNELS_CACHE" or "HF_HOME" not in os.environ:
        os.environ.setdefault(variable, folder + name)
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1",
                  HF_HUB_DISABLE_PROGRESS_BARS="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")
files = os.environ.get("FIXTURE_FILES", folder + "/files")
import make_caches  # noqa: E402


def say(name):
    def run(check):
        try:
            good, why = check(), "wrong content"
        except Exception as error:
            good, why = False, "%s: %s" % (type(error).__name__, str(error).split("\n")[0])
            cause = error.__context__
            why += " <- %s: %s" % (type(cause).__name__, cause) if cause is not None else ""
            if os.environ.get("READ_CACHES_TRACE"):
                import traceback
                traceback.print_exc()
        print("said", name, "yes" if good else "no")
        if not good:
            print("  why", name, why)
        return check
    return run


def arrow_files():
    import datasets
    return {str(p): p.lstat().st_mtime_ns for p in pathlib.Path(datasets.config.HF_DATASETS_CACHE).rglob("*.arrow")}


def words(rows):
    return [row["word"] for row in rows] == ["one", "two"]


@say("hub_file")
def _():
    import huggingface_hub
    return "hub" in pathlib.Path(huggingface_hub.hf_hub_download("demo/model", "config.json")).read_text()


@say("hub_snapshot")
def _():
    import huggingface_hub
    at = pathlib.Path(huggingface_hub.snapshot_download("demo/model"))
    return (at / "sub/weights.bin").stat().st_size == 4096


@say("hub_no_exist")
def _():
    import huggingface_hub
    return huggingface_hub.try_to_load_from_cache("demo/model", "absent.json") is huggingface_hub._CACHED_NO_EXIST


@say("hub_scan")
def _():
    import huggingface_hub
    found = huggingface_hub.scan_cache_dir()
    return not found.warnings and any(repo.repo_id == "demo/model" for repo in found.repos)


def dataset(name, *args, **kwargs):
    kept = {}

    @say("dataset_" + name)
    def _():
        import datasets
        before = arrow_files()
        kept["rows"] = datasets.load_dataset(*args, split="train", **kwargs)
        kept["reused"] = arrow_files() == before
        return words(kept["rows"])

    @say("dataset_" + name + "_reused")
    def _():
        return kept.get("reused")
    return kept


table = dataset("csv", "csv", data_files=files + "/rows.csv")
dataset("json", "json", data_files=files + "/rows.jsonl")
dataset("hub", "demo/rows")


@say("dataset_map")
def _():
    return [row["loud"] for row in table["rows"].map(make_caches.shout)] == ["ONE", "TWO"]


@say("dataset_map_reused")
def _():
    return "rows" in table and not make_caches.CALLS


@say("dataset_map_new")  # a result that is not in the cache: it is written beside the dataset
def _():
    return table["rows"].filter(lambda row: row["word"] == "two").num_rows == 1


for by in ({"revision": "v1"}, {"version": 1}):
    @say("kernel_by_" + list(by)[0])
    def _():
        import kernels
        return kernels.get_kernel("demo/tiny", trust_remote_code=True, **by).said() == "kernel"
