"""Finds words in a text. Everything in this file may change, but for what find_words returns."""

KEY = 1            # letters of a word that decide which drawer it lies in
BY_LENGTH = False  # whether a drawer is asked once for each length of its words, or for each of its words


def find_words(text, words):
    """Return (position, word) of every place where one of the words stands, also inside of others.

    Positions rise; at one position the shorter word comes first.
    """
    drawers = {}
    for word in words:
        drawers.setdefault(word[:KEY], {}).setdefault(len(word), {})[word] = True
    # A word that is shorter than the key lies in a drawer with a shorter name.
    names = sorted(list({len(name): True for name in drawers}))
    found = []
    for position in range(len(text)):
        for length in names:
            drawer = drawers.get(text[position:position + length])
            if drawer is not None:
                for word in open_drawer(drawer, text, position):
                    found.append((position, word))
    return found


def open_drawer(drawer, text, position):
    """Return the words of a drawer that stand at a position, the shorter ones first."""
    found = []
    for length in sorted(list(drawer)):
        if BY_LENGTH:
            part = text[position:position + length]
            if part in drawer[length]:
                found.append(part)
        else:
            for word in drawer[length]:
                if text.startswith(word, position):
                    found.append(word)
    return found
