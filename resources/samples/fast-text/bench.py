"""The score: characters searched per 1,000 steps of counted work, over the same texts every time.

Fixed, like counted.py and the tests. Usage: python3 bench.py
"""

import sys

from counted import Refused, TooMuchWork, load

LETTERS = "etaoinshrdlu"
# (characters of text, words looked for); made from the numbers below, so they need no files.
CASES = ((4_000, 40), (4_000, 200), (2_000, 600))


def numbers(state):
    """Yield numbers below 2**16 that are the same for ever. Source: the C standard's example of rand."""
    while True:
        state = (state * 1_103_515_245 + 12_345) % 2**31
        yield state // 2**15


def make_case(characters, words, state):
    """Return a text and the words to look for in it; about half of them occur."""
    random = numbers(state)

    def make_word():
        length = 2 + next(random) % 4 + next(random) % 5
        # The first letters are the more frequent ones.
        return "".join(LETTERS[min(next(random), next(random)) % len(LETTERS)] for _ in range(length))

    vocabulary = sorted({make_word() for _ in range(2 * words)})
    text = []
    while sum(map(len, text)) + len(text) < characters:
        text.append(vocabulary[next(random) % len(vocabulary)])
    return " ".join(text)[:characters], vocabulary[::2]


def expected(text, words):
    """The slow and simple answer."""
    found = []
    for word in words:
        at = text.find(word)
        while at >= 0:
            found.append((at, word))
            at = text.find(word, at + 1)
    return sorted(found, key=lambda place: (place[0], len(place[1])))


def main():
    characters = steps = 0
    try:
        run = load("find_words.py")
        for number, case in enumerate(CASES):
            text, words = make_case(*case, state=number + 1)
            # Known before anything runs, and of words that the file cannot take away.
            right = expected(text, words)
            found, taken = run("find_words", text, list(words))
            if found != right:
                sys.exit(f"FAIL: what it found in text {number + 1} is not what stands there")
            print(f"text {number + 1}: {len(text):,} characters, {len(words)} words, {taken:,.0f} steps")
            characters += len(text)
            steps += taken
    except (Refused, TooMuchWork, SyntaxError) as error:
        sys.exit(f"FAIL: {error}")
    print("---")
    print(f"speed: {1000 * characters / steps:.4f}")
    print(f"counted_steps: {steps:.0f}")


if __name__ == "__main__":
    main()
