"""Reads the books (docs/deploy.md, runbooks, game days, …): their commands, their code spans, their links."""
import functools
import pathlib
import re
import shlex

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
BOOKS = [DOCS / name for name in ("deploy.md", "game-days.md", "compliance.md", "training.md", "cost.md")] + sorted((DOCS / "runbooks").glob("*.md"))
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.S | re.M)
SPAN = re.compile(r"`([^`]+)`")
# What stands in front of a command and is none.
WORDS_BEFORE = ("sudo", "nice", "time", "exec")


@functools.cache
def text(path):
    return path.read_text(encoding="utf-8")


def spans(path):
    """Code inside lines, also where it goes over the end of one."""
    return [re.sub(r"\s+", " ", span) for span in SPAN.findall(BLOCK.sub("", text(path)))]


def lines(path):
    """Commands in blocks: what follows "$ "."""
    return [line.strip()[2:] for _, body in BLOCK.findall(text(path)) for line in body.splitlines() if line.strip().startswith("$ ")]


def commands(path):
    """Each command as a list of words, without variables before it; pipes and lists come apart."""
    for written in lines(path) + spans(path):
        for words in apart(written):
            while words and (words[0] in WORDS_BEFORE or re.match(r"^[A-Z_]+=", words[0])):
                words = words[1:]
            if words:
                yield words


def apart(written):
    lexer = shlex.shlex(written, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    # A '#' inside a word, as in a link, is none.
    lexer.commenters = ""
    found = [[]]
    try:
        for word in lexer:
            if word.startswith("#"):
                break
            if set(word) <= set("|;&"):
                found.append([])
            elif set(word) <= set("<>"):
                found[-1].append(word)
            else:
                found[-1].append(word)
    except ValueError:
        return []  # a span with a lone quote is no command
    return found


def flags(words):
    """--flag of --flag=value; what follows a lone -- is none."""
    return [word.split("=")[0] for word in words if re.match(r"^--[a-z]", word)]


def links(path):
    """(file, anchor) of each link to a file of the project."""
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", text(path))):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        yield target, (path.parent / name).resolve() if name else path, anchor


@functools.cache
def anchors(path):
    """What GitHub makes of the headings."""
    made = set()
    for heading in re.findall(r"^#+ (.+)$", BLOCK.sub("", text(path)), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        made.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return made
