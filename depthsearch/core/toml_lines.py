"""Which line of a TOML text a message is about, since the standard library's reader does not say."""

import re


class TomlLines:
    """The lines of a study file, and the tables that they belong to."""

    def __init__(self, text: str) -> None:
        self._lines = [line.split("#")[0] for line in text.splitlines()]
        # (name of the top-level table, number of its first line); [problems.recipe] belongs to its [[problems]].
        self._headers = [
            (match[1], number)
            for number, line in enumerate(self._lines)
            if (match := re.match(r"\s*\[{1,2}\s*(\w+)\s*\]", line))
        ]

    def of_key(self, key: str) -> int | None:
        """The line, counted from 1, that sets a top-level key or opens a table of that name."""
        pattern = re.compile(rf"\s*(\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*(=|\]|\.)")
        return next((number for number, line in enumerate(self._lines, 1) if pattern.match(line)), None)

    def blamed(self, message: str, table: str, k: int = 0) -> int | None:
        """The line that writes what a message is about: in the (k+1)-th table of that name, else in the defaults.

        A quoted name is looked for first, then the fields that the message names; where neither is written, the
        table's own header is blamed.
        """
        regions = [region for region in (self._region(table, k), self._region("defaults", 0)) if region is not None]
        quoted = re.findall(r"unknown [a-z ]+ '([^']*)'", message)
        patterns = [rf"(?<![\w.-]){re.escape(name)}(?![\w-])" for name in quoted]
        # The fields come before what was got or accepted instead.
        fields = re.findall(r"[a-z_][a-z_0-9]*", message.split(" but got", maxsplit=1)[0])
        patterns += [rf"(?<![\w-]){field}\s*=" for field in fields]
        for pattern in patterns:
            for first, last in regions:
                for number in range(first, last):
                    if re.search(pattern, self._lines[number]):
                        return number + 1
        return regions[0][0] + 1 if regions else None

    def _region(self, table: str, k: int) -> tuple[int, int] | None:
        starts = [index for index, (name, _) in enumerate(self._headers) if name == table]
        if k >= len(starts):
            return None
        following = starts[k] + 1
        end = self._headers[following][1] if following < len(self._headers) else len(self._lines)
        return self._headers[starts[k]][1], end
