"""Answers in the place of a model, by rules it finds in the prompt.

It is no model and understands nothing: it reads the lines below and does what they say, the
same way every time, so that a prompt can be improved without a key and without a cost.

    - topic: words, that, tell, of, it
    A mail is urgent where it says: words
    MAX_WORDS = 12
    ORDER_NUMBER = "put first"
    HIDE_CONTACTS = True
"""

import json
import re

TOPIC = re.compile(r"^- ([a-z]{1,20}):(.*)$", re.MULTILINE)
URGENT = re.compile(r"^A mail is urgent where it says:(.*)$", re.MULTILINE)
SETTING = re.compile(r"^(MAX_WORDS|ORDER_NUMBER|HIDE_CONTACTS) = ([^#\n]*)", re.MULTILINE)
ORDER = re.compile(r"#(\d{4})\b")
CONTACT = re.compile(r"\S{1,60}@\S{1,60}|\b0\d{2,4} \d{5,9}\b")


def answer(prompt, mail):
    """Return the answer to a mail, as text."""
    settings = {name: value.strip() for name, value in SETTING.findall(prompt)}
    # The first of those that have the most; the last one where none has any.
    topics = [(hits(words, mail), name) for name, words in TOPIC.findall(prompt)] or [(0, None)]
    most = max(count for count, _ in topics)
    topic = next(name for count, name in topics if count == most) if most > 0 else topics[-1][1]
    urgent = any(hits(words, mail) for words in URGENT.findall(prompt))
    return json.dumps({"topic": topic, "urgent": urgent, "summary": summary(settings, mail)})


def summary(settings, mail):
    order = ORDER.search(mail)
    is_first = order is not None and settings.get("ORDER_NUMBER") == '"put first"'
    text = f"{order[1]}: {mail}" if is_first else ORDER.sub("…", mail)
    if settings.get("HIDE_CONTACTS") == "True":
        text = CONTACT.sub("[hidden]", text)
    limit = settings.get("MAX_WORDS", "")
    words = text.split()
    return " ".join(words[:int(limit)] if re.fullmatch(r"\d{1,6}", limit) else words)


def hits(words, mail):
    """Return how many of the words, which commas separate, stand in a mail."""
    said = re.sub(r"[^a-z0-9]+", " ", f" {mail.lower()} ")
    return sum(f" {word.strip().lower()} " in said for word in words.split(",") if word.strip())
