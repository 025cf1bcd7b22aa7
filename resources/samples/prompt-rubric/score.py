"""The score: which share of the rubric's checks the answers to 20 mails pass.

The answers come from the model that Pawl lets this program ask, where pawl.toml names one,
else from stand_in.py. Fixed. Usage: python3 score.py
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import stand_in

MAX_PROMPT_CHARACTERS = 4_000
COPIED_WORDS = 6       # as many words of a mail in a row are an answer written into the prompt
MAX_SUMMARY_WORDS = 16
AT_ONCE = 4            # calls to a model
ANSWER_TOKENS = 300
CALL_SECONDS = 300


def check(answer, mail):
    """Return [(name of the check, whether it holds)] of one answer."""
    topic, urgent, summary = answer.get("topic"), answer.get("urgent"), str(answer.get("summary", ""))
    # Whatever stands between them, so that words tied together are as many as before.
    words = len(re.findall(r"[^\W_]+", summary))
    checks = [
        (f"the topic is {mail['topic']}, not {shown(topic)}", topic == mail["topic"]),
        (f"urgent is {mail['urgent']}, not {shown(urgent)}", urgent is mail["urgent"]),
        (f"the summary has {words} words, not 1 to {MAX_SUMMARY_WORDS}", 0 < words <= MAX_SUMMARY_WORDS),
        (f"the summary says {mail['says']}", mail["says"].lower() in summary.lower()),
    ]
    if "order" in mail:
        checks.append((f"the summary names order {mail['order']}", mail["order"] in summary))
    if "hides" in mail:
        checks.append((f"the summary hides {mail['hides']}", summary != "" and mail["hides"] not in summary))
    return checks


def shown(value):
    """Return a value on one short line: what a model wrote must not look like a result."""
    return json.dumps(value)[:40]


def read_answer(text):
    """Return the JSON object in an answer; an empty one where there is none."""
    start, end = text.find("{"), text.rfind("}")
    try:
        answer = json.loads(text[start:end + 1])
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def ask_model(prompt, mail):
    """Return what the model answers. Ends the run where it cannot be asked: a rate of half the mails is none."""
    body = {
        "model": os.environ["PAWL_MODEL"],
        "max_tokens": ANSWER_TOKENS,
        "system": prompt,
        "messages": [{"role": "user", "content": mail}],
    }
    request = urllib.request.Request(
        os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages",
        json.dumps(body).encode(),
        {
            "content-type": "application/json",
            "anthropic-version": "2023-06-01",
            "x-api-key": os.environ["ANTHROPIC_API_KEY"],
        },
    )
    # What Pawl answers on is on this machine, whatever the proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=CALL_SECONDS) as response:
            message = json.load(response)
    except urllib.error.HTTPError as error:
        sys.exit(f"The model did not answer: {error.code} {error.read(2_000).decode(errors='replace')}")
    except OSError as error:
        sys.exit(f"The model cannot be reached: {error}")
    return "".join(block["text"] for block in message["content"] if block["type"] == "text")


def find_copy(prompt, mails):
    """Return words of a mail that stand in the prompt; None where there are none."""
    known = " ".join(re.findall(r"\w+", prompt.lower()))
    for mail in mails:
        words = re.findall(r"\w+", mail["mail"].lower())
        for start in range(len(words) - COPIED_WORDS + 1):
            part = " ".join(words[start:start + COPIED_WORDS])
            if part in known:
                return part
    return None


def main():
    with open("mails.json", encoding="utf-8") as file:
        mails = json.load(file)
    with open("prompt.md", encoding="utf-8") as file:
        prompt = file.read(MAX_PROMPT_CHARACTERS + 1)
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        sys.exit(f"The prompt is longer than {MAX_PROMPT_CHARACTERS:,} characters.")
    copied = find_copy(prompt, mails)
    if copied is not None:
        sys.exit(f'The prompt holds a part of a mail, "{copied}"; it has to work for mail that nobody knows.')

    has_model = "PAWL_MODEL" in os.environ
    ask = ask_model if has_model else stand_in.answer
    print(f"answered by {os.environ['PAWL_MODEL'] if has_model else 'stand_in.py, which is no model'}")
    with ThreadPoolExecutor(AT_ONCE if has_model else 1) as pool:
        answers = list(pool.map(lambda mail: ask(prompt, mail["mail"]), mails))

    passed = total = faultless = 0
    for number, (mail, answer) in enumerate(zip(mails, answers), 1):
        checks = check(read_answer(answer), mail)
        failed = [name for name, holds in checks if not holds]
        for name in failed:
            print(f"failed in mail {number}: {name}")
        total += len(checks)
        passed += len(checks) - len(failed)
        faultless += not failed
    print("---")
    print(f"pass_rate: {passed / total:.4f}")
    print(f"checks_passed: {passed}")
    print(f"checks_total: {total}")
    print(f"faultless_mails: {faultless}")


if __name__ == "__main__":
    main()
