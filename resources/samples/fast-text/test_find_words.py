"""What find_words promises, on texts that the score does not use. Usage: python3 -m unittest"""

import unittest

from bench import expected, make_case
from counted import Refused, load


class FindWords(unittest.TestCase):
    def find(self, text, words):
        return load("find_words.py")("find_words", text, words)[0]

    def test_finds_every_place(self):
        self.assertEqual(self.find("to be or not to be", ["be", "to"]), [(0, "to"), (3, "be"), (13, "to"), (16, "be")])

    def test_finds_words_in_words_and_over_each_other(self):
        self.assertEqual(self.find("aaa", ["a", "aa"]), [(0, "a"), (0, "aa"), (1, "a"), (1, "aa"), (2, "a")])

    def test_finds_one_letter_beside_long_words(self):
        self.assertEqual(self.find("the end", ["the end", "e"]), [(0, "the end"), (2, "e"), (4, "e")])

    def test_finds_nothing_where_there_is_nothing(self):
        self.assertEqual(self.find("", ["a"]), [])
        self.assertEqual(self.find("text", []), [])
        self.assertEqual(self.find("text", ["longer than the text"]), [])

    def test_knows_letters_of_all_kinds(self):
        self.assertEqual(self.find("Grüße, 世界 🙂", ["üß", "界", "🙂"]), [(2, "üß"), (8, "界"), (10, "🙂")])

    def test_agrees_with_the_slow_answer(self):
        for state in range(100, 130):
            text, words = make_case(300, 5 + state % 40, state)
            self.assertEqual(self.find(text, words), expected(text, words))

    def test_leaves_what_it_is_given_alone(self):
        for letters in ("ab", "ab" * 2_000):
            words = ["b", "a"]
            self.find(letters, words)
            self.assertEqual(words, ["b", "a"])


class Counting(unittest.TestCase):
    """The count cannot be got around in the simple ways."""

    def assert_refused(self, source):
        import os
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "tried.py")
            with open(path, "w", encoding="utf-8") as file:
                file.write(source)
            with self.assertRaises(Refused, msg=source):
                load(path)("f", "abc")

    def test_refuses_what_it_cannot_count(self):
        for source in (
            "import re\ndef f(text): return re.findall('a', text)",
            "def f(text): return text.__class__",
            "def f(text): return text.__len__()",
            "def f(text): return text.translate({})",
            "def f(text): return f'{text}'",
            "def f(text): return '%s' % text",
            "def f(text): return {1, 2}",
            "def f(text):\n try: g()\n except: pass",
            "def f(text):\n global known\n known = 1",
            "CACHE = {}\ndef f(text): return CACHE",
            "def f(text, known=[]): return known",
            "def f(text): return __meter__",
            "def f(text): yield text",
            "def f(text): return 2 ** 10",
            "class A: pass",
            f"TABLE = {'a' * 300!r}\ndef f(text): return TABLE",
            f"TABLE = {list(range(500))}\ndef f(text): return TABLE",
        ):
            self.assert_refused(source)


if __name__ == "__main__":
    unittest.main()
