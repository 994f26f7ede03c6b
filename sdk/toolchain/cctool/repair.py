# SPDX-License-Identifier: MIT
"""What Microsoft's compiler accepts and clang does not, mended in a copy that clang sees in the file's place.

The sources stay as they are: an overlay gives clang the copy under the file's own name, and lines keep their numbers.
Mended are casts used as l-values (C only, with a warning), files in UTF-16 or, where clang stops at it, in code page 1252,
and names of headers whose folders are in another case.  clang's complaints tell where; so what needs none costs nothing.
"""
import json
import os
import re

LVALUE = re.compile(rb'assignment to cast is illegal|cannot take the address of an rvalue of type')
PLACE = re.compile(r'^(.+?):(\d+):(\d+):((?:\{[^}]*\})*):? (fatal error|error): (.*)$', re.MULTILINE)
MISSING = re.compile(r"'(.+)' file not found")
UTF16 = re.compile(r"UTF-16 \((?:LE|BE)\) byte order mark detected in '(.+)'")
BOMS = ((b'\xff\xfe', 'utf-16-le'), (b'\xfe\xff', 'utf-16-be'))


def find_any_case(folder, name, want=os.path.isfile):
    """The file (or what else `want` tells) that `name`, with its folders in any case and either slash, means in `folder`."""
    path = os.path.abspath(folder)
    for part in name.replace('\\', '/').split('/'):
        if part in ('', '.'):
            continue
        if part == '..' or os.path.exists(os.path.join(path, part)):
            path = os.path.normpath(os.path.join(path, part))
            continue
        try:
            same = [n for n in sorted(os.listdir(path)) if n.lower() == part.lower()]
        except OSError:
            return None
        if not same:
            return None
        path = os.path.join(path, same[0])
    return path if want(path) else None


def split_cast(text):
    """(type, operand) of '(TYPE) OPERAND', with parentheses around it or not; None for anything else."""
    text = text.strip()
    while text.startswith(b'('):
        depth = 0
        for end, letter in enumerate(text):
            depth += {40: 1, 41: -1}.get(letter, 0)
            if depth == 0:
                break
        if depth:
            return None
        rest = text[end + 1:].strip()
        if rest:
            return text[1:end].strip(), rest
        text = text[1:end].strip()      # parentheses around all of it
    return None


class Repairs:
    """The copies, and the overlay file that puts them in place.  One for each source: all of it is clang's alone."""

    def __init__(self, work, source, folders, protected):
        self.work, self.source, self.folders, self.protected = work, os.path.abspath(source), folders, protected
        self.copies, self.warnings, self.bytes, self.cwd = {}, [], {}, os.getcwd()

    def overlay(self):
        if not self.copies:
            return []
        path = os.path.join(self.work, 'repairs.vfs')
        roots = [{'type': 'file', 'name': name, 'external-contents': copy} for name, copy in self.copies.items()]
        with open(path, 'w', encoding='utf-8') as out:
            json.dump({'version': 0, 'case-sensitive': 'false', 'use-external-names': 'false', 'roots': roots}, out,
                      ensure_ascii=False)
        return ['-ivfsoverlay', path]

    def put(self, name, data):
        """Let clang read `data` where it asks for the file `name`."""
        os.makedirs(self.work, exist_ok=True)
        path = os.path.join(self.work, f'{len(self.copies)}.copy')
        path = self.copies.get(name, path)
        with open(path, 'wb') as out:
            out.write(data)
        self.copies[name], self.bytes[name] = path, data

    def found(self):
        """Headers that were found under another name than was asked for."""
        return [copy for copy in self.copies.values() if not copy.startswith(self.work + os.sep)]

    def content(self, name):
        if name not in self.bytes:
            with open(name, 'rb') as data:
                self.bytes[name] = data.read()
        return self.bytes[name]

    def allowed(self, name):
        return os.path.isfile(name) and not any(name.startswith(folder + os.sep) for folder in self.protected)

    def recode(self, name):
        """UTF-16 to UTF-8; without a mark, what is no UTF-8 is taken for code page 1252, as in the west of Windows."""
        data = self.content(name)
        for mark, coding in BOMS:
            if data.startswith(mark):
                self.put(name, data[2:].decode(coding, 'replace').encode())
                return True
        try:
            data.decode()
        except UnicodeDecodeError:
            self.put(name, data.decode('cp1252', 'replace').encode())
            return True
        return False

    def learn(self, text):
        """Mend what clang's complaints name; whether anything was mended, so that trying again makes sense."""
        found, edits = False, {}
        for path, line, _, ranges, _, message in PLACE.findall(text):
            name = os.path.abspath(os.path.join(self.cwd, path))
            utf16 = UTF16.search(message)
            if utf16 and self.allowed(os.path.abspath(utf16.group(1))):
                found |= self.recode(os.path.abspath(utf16.group(1)))
            elif not self.allowed(name):
                continue
            elif MISSING.search(message):
                found |= self.find_header(name, MISSING.search(message).group(1))
            elif 'illegal character encoding' in message:
                found |= self.recode(name)
            elif LVALUE.search(message.encode()) and ranges and self.source.lower().endswith('.c'):
                first = re.match(r'\{(\d+):(\d+)-(\d+):(\d+)\}', ranges)
                cast = re.search(r'\{' + line + r':(\d+)-' + line + r':(\d+)\}', ranges)
                if first and cast:
                    edits.setdefault(name, set()).add((int(line), int(cast.group(1)), int(cast.group(2))))
        for name, places in edits.items():
            found |= self.mend_casts(name, places)
        return found

    def find_header(self, includer, name):
        for folder in [os.path.dirname(includer), *self.folders]:
            real = find_any_case(folder, name)
            asked = os.path.normpath(os.path.join(folder, name.replace('\\', '/')))
            if real and asked not in self.copies:
                with open(real, 'rb') as data:
                    self.put(asked, data.read())
                self.copies[asked] = real       # the file itself, under the name that was asked for
                return True
        return False

    def mend_casts(self, name, places):
        lines = self.content(name).split(b'\n')
        last, mended = (0, 0), False
        for line, begin, end in sorted(places, reverse=True):
            text = lines[line - 1]
            if last[0] == line and end > last[1]:
                continue                # around the one just mended: the next time
            cast = split_cast(text[begin - 1:end - 1])
            if not cast:
                continue
            lines[line - 1] = (text[:begin - 1] + b'(*(__typeof__(' + cast[0] + b') *)&(' + cast[1] + b'))' + text[end - 1:])
            self.warnings.append(f'{name}:{line}:{begin}: warning: a cast is used as an l-value: what is behind it is used as '
                                 'the type, as Microsoft\'s compiler does')
            last, mended = (line, begin), True
        if mended:
            self.put(name, b'\n'.join(lines))
        return mended
