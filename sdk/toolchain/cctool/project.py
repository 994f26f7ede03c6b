# SPDX-License-Identifier: MIT
"""A Visual Studio project (.vcxproj) as `fltvm cc` sees it: sources, folders, definitions, libraries, trace settings.

Read is what is common to drivers' projects, for one configuration and x64.  Properties and items are taken in the file's order,
conditions and $(…) and %(…) are evaluated; what is not understood is skipped, and said with its line.  Expat reads the XML.
"""
import os
import re
import shlex
from xml.parsers import expat

from .repair import find_any_case

SILENT_ITEMS = {'ClInclude', 'None', 'Text', 'Inf', 'FilesToPackage', 'ProjectConfiguration', 'Filter', 'Image', 'Natvis', 'PropertyPageSchema'}
COMPILE = {'AdditionalIncludeDirectories', 'PreprocessorDefinitions', 'UndefinePreprocessorDefinitions', 'ForcedIncludeFiles',
           'AdditionalOptions', 'CompileAs', 'LanguageStandard', 'ExcludedFromBuild', 'WppEnabled', 'WppTraceFunction',
           'WppAdditionalOptions', 'WppScanConfigurationData'}
# Settings of Microsoft's compiler that mean nothing here.
COMPILE_SILENT = {'WarningLevel', 'TreatWarningAsError', 'Optimization', 'PrecompiledHeader', 'PrecompiledHeaderFile', 'WppKernelMode',
                  'ExceptionHandling', 'RuntimeLibrary', 'RuntimeTypeInfo', 'DebugInformationFormat', 'DisableSpecificWarnings',
                  'BufferSecurityCheck', 'SDLCheck', 'ConformanceMode', 'MultiProcessorCompilation', 'IntrinsicFunctions',
                  'FunctionLevelLinking', 'StringPooling', 'BasicRuntimeChecks', 'InlineFunctionExpansion', 'EnablePREfast',
                  'PrecompiledHeaderOutputFile', 'MinimalRebuild', 'SpectreMitigation', 'FavorSizeOrSpeed', 'OmitFramePointers',
                  'WppModuleName', 'WppDllMacro', 'WppRecorderEnabled', 'WppPreserveExtensions', 'WppSearchString', 'ControlFlowGuard',
                  'LanguageStandard_C', 'ObjectFileName', 'CallingConvention', 'WholeProgramOptimization', 'SupportJustMyCode',
                  'UseStandardPreprocessor', 'EnforceTypeConversionRules', 'TreatWChar_tAsBuiltInType', 'FileType', 'DeploymentContent'}
LINK = {'AdditionalDependencies', 'EntryPointSymbol', 'ModuleDefinitionFile', 'ImportLibrary', 'NoEntryPoint'}
LINK_SILENT = {'AdditionalLibraryDirectories', 'SubSystem', 'GenerateDebugInformation', 'TreatLinkerWarningAsErrors', 'OptimizeReferences',
               'EnableCOMDATFolding', 'IgnoreAllDefaultLibraries', 'Driver', 'LinkIncremental', 'ProgramDatabaseFile', 'BaseAddress',
               'ImageHasSafeExceptionHandlers', 'SectionAlignment', 'MinimumRequiredVersion', 'Version', 'OutputFile', 'GenerateMapFile'}


class Refused(Exception):
    pass


def escaped(path):
    """A path as a property holds it: what would divide a list, quote or expand stands as %XX, which unescaped() undoes."""
    return re.sub(r'[\x00-\x7f]', lambda m: m[0] if m[0].isalnum() or m[0] in '/._+-' else f'%{ord(m[0]):02X}', path)


def unescaped(text):
    return re.sub('%([0-9A-Fa-f]{2})', lambda m: chr(int(m[1], 16)), text)


class Element:
    def __init__(self, tag, attributes, line):
        self.tag, self.attributes, self.line, self.children, self.text = tag, attributes, line, [], ''


def read_xml(path):
    parser = expat.ParserCreate()
    stack = [Element('', {}, 0)]

    def start(tag, attributes):
        stack.append(Element(tag.rpartition(':')[2], attributes, parser.CurrentLineNumber))
        stack[-2].children.append(stack[-1])

    def text(data):
        stack[-1].text += data

    def entity(name, *_):
        raise Refused(f'{path}:{parser.CurrentLineNumber}: error: an entity ({name}) has no place in a project')

    parser.StartElementHandler, parser.EndElementHandler = start, lambda tag: stack.pop()
    parser.CharacterDataHandler, parser.EntityDeclHandler = text, entity
    try:
        with open(path, 'rb') as data:
            parser.Parse(data.read(), True)
    except expat.ExpatError as failure:
        raise Refused(f'{path}:{failure.lineno}: error: not XML: {expat.ErrorString(failure.code)}') from None
    except OSError as failure:
        raise Refused(f'{path}: {failure.strerror}') from None
    root = stack[0].children[0]
    if root.tag != 'Project':
        raise Refused(f'{path}:{root.line}: error: not a Visual Studio project: its root is <{root.tag}>')
    return root


class Project:
    def __init__(self, path, configuration):
        self.path, self.folder = path, os.path.dirname(os.path.abspath(path))
        self.notes, self.items, self.definitions, self.said = [], [], {'ClCompile': {}, 'Link': {}}, set()
        name, folder = escaped(os.path.splitext(os.path.basename(path))[0]), escaped(self.folder)
        self.properties = {'configuration': configuration, 'platform': 'x64', 'projectdir': folder + '/', 'projectname': name,
                           'msbuildprojectname': name, 'msbuildprojectdirectory': folder, 'msbuildthisfiledirectory': folder + '/',
                           'msbuildprojectfullpath': escaped(os.path.abspath(path)),
                           'solutiondir': escaped(os.path.dirname(self.folder)) + '/', 'targetname': name, 'platformtarget': 'x64'}
        self.read(read_xml(path))

    def note(self, line, text):
        if text not in self.said:
            self.said.add(text)
            self.notes.append(f'{self.path}:{line}: note: {text}')

    def expand(self, text, inherited=None):
        for _ in range(20):
            new = re.sub(r'\$\((\w+)\)', lambda m: self.properties.get(m.group(1).lower(), ''), text)
            if new == text:
                break
            text = new[:65536]
        return re.sub(r'%\((?:\w+\.)?(\w+)\)', lambda m: (inherited or {}).get(m.group(1), ''), text)

    # --- conditions: 'a' == 'b', !=, and, or, !, parentheses, exists('…') ------------------------------------------

    def holds(self, element):
        condition = element.attributes.get('Condition')
        if not condition or not condition.strip():
            return True
        words = re.findall(r"'[^']*'|==|!=|!|\(|\)|[\w.$()]+?(?=\()|[^\s'()!=]+", self.expand(condition))
        try:
            value = self.either(words)
            if words:
                raise ValueError
            return value
        except (ValueError, IndexError):
            self.note(element.line, f'condition not understood, taken for false: {condition}')
            return False

    def either(self, words):
        value = self.both(words)
        while words and words[0].lower() == 'or':
            words.pop(0)
            value = self.both(words) or value
        return value

    def both(self, words):
        value = self.one(words)
        while words and words[0].lower() == 'and':
            words.pop(0)
            value = self.one(words) and value
        return value

    def one(self, words):
        word = words.pop(0)
        if word == '!':
            return not self.one(words)
        if word == '(':
            value = self.either(words)
            if words.pop(0) != ')':
                raise ValueError
            return value
        if word.lower() == 'exists':
            if words.pop(0) != '(':
                raise ValueError
            name = unescaped(words.pop(0).strip("'"))
            if words.pop(0) != ')':
                raise ValueError
            return self.find(name) is not None
        if words and words[0] in ('==', '!='):
            operator, other = words.pop(0), words.pop(0)
            return (unescaped(word.strip("'")).lower() == unescaped(other.strip("'")).lower()) == (operator == '==')
        if word.strip("'").lower() in ('true', 'false'):
            return word.strip("'").lower() == 'true'
        raise ValueError

    # --- the file's parts -------------------------------------------------------------------------------------------

    def read(self, root):
        for group in root.children:
            if not self.holds(group):
                continue
            if group.tag == 'PropertyGroup':
                for item in group.children:
                    if self.holds(item):
                        self.properties[item.tag.lower()] = self.expand(item.text.strip())
            elif group.tag == 'ItemDefinitionGroup':
                for item in group.children:
                    if item.tag in self.definitions and self.holds(item):
                        self.settings(item, self.definitions[item.tag])
            elif group.tag == 'ItemGroup':
                self.items += [item for item in group.children if self.holds(item)]
            elif group.tag == 'Import':
                name = group.attributes.get('Project', '')
                if '$(VCTargetsPath)' not in name and '$(UserRootDir)' not in name:
                    self.note(group.line, f'import skipped: {name}')
            elif group.tag == 'ImportGroup':
                for item in group.children:
                    name = item.attributes.get('Project', '')
                    if '$(VCTargetsPath)' not in name and '$(UserRootDir)' not in name and self.holds(item):
                        self.note(item.line, f'import skipped: {name}')
            elif group.tag not in ('ProjectExtensions',):
                self.note(group.line, f'<{group.tag}> skipped')

    def settings(self, element, values):
        known, silent = (LINK, LINK_SILENT) if element.tag == 'Link' else (COMPILE, COMPILE_SILENT)
        for item in element.children:
            if not self.holds(item):
                continue
            if item.tag in known:
                values[item.tag] = self.expand(item.text.strip(), values)
            elif item.tag not in silent:
                self.note(item.line, f'<{item.tag}> skipped')
        return values

    def find(self, name, want=os.path.isfile):
        name = name.replace('\\', '/')
        if os.path.isabs(name):
            return find_any_case('/', name, want)
        return find_any_case(self.folder, name, want)

    def flags(self, values, line):
        flags = []
        for name in split(values.get('AdditionalIncludeDirectories')):
            folder = self.find(name, os.path.isdir)
            if folder:
                flags += ['-I', folder]
            elif name.strip('\\/'):
                self.note(line, f'include folder skipped, it is not there: {name}')
        flags += [f'-D{name}' for name in split(values.get('PreprocessorDefinitions'))]
        flags += [f'-U{name}' for name in split(values.get('UndefinePreprocessorDefinitions'))]
        for name in split(values.get('ForcedIncludeFiles')):
            flags += ['-include', name.replace('\\', '/')]
        standard = re.fullmatch(r'stdcpp(\w+)', values.get('LanguageStandard', ''))
        if standard and standard.group(1) != 'latest':
            flags.append(f'-std=c++{standard.group(1)}')
        if values.get('CompileAs') in ('CompileAsCpp', 'CompileAsC'):
            flags += ['-x', 'c++' if values['CompileAs'] == 'CompileAsCpp' else 'c']
        return flags + self.options(values.get('AdditionalOptions', ''), line)

    def options(self, text, line):
        """cl's options in AdditionalOptions."""
        flags = []
        words = [unescaped(word) for word in shlex.split(text.replace('\\', '/'))]
        while words:
            word = words.pop(0)
            match = re.fullmatch(r'[-/](D|I|U|FI)(.*)', word)
            if match:
                value = match.group(2) or (words.pop(0) if words else '')
                if match.group(1) == 'I':
                    value = self.find(value, os.path.isdir) or value
                flags += ['-include' if match.group(1) == 'FI' else '-' + match.group(1), value]
            elif re.fullmatch(r'[-/]std:c\+\+\d\d', word):
                flags.append('-std=' + word[5:])
            elif not re.fullmatch(r'[-/](W\d|WX-?|Wall|wd\d+|we\d+|w\d\d+|kernel|GS-?|G[rdFyzwLR]-?|O\w*|Z\w+|MP\d*|EH\S*|GR-?|utf-8|nologo|FC|bigobj|'
                                  r'permissive-|Zc:\S+|d[12]\S+|Qspectre|guard:cf|analyze\S*|T[CP]|FS|fp:\w+|sdl-?|Oy-?|hotpatch|J|diagnostics:\S+)', word):
                self.note(line, f'option of the compiler skipped: {word}')
        return flags


def split(text):
    return [unescaped(word.strip()) for word in (text or '').split(';') if word.strip()]


def load(path, configuration):
    """What args of `fltvm cc` the project stands for, and notes on what was skipped."""
    project = Project(path, configuration)
    kind = project.properties.get('configurationtype', 'Driver')
    if kind not in ('Driver', 'DynamicLibrary'):
        raise Refused(f'{path}:1: error: its ConfigurationType is {kind}: no driver is made of it')
    asked = {f'{i.attributes.get("Include", "")}'.lower() for i in project.items if i.tag == 'ProjectConfiguration'}
    if asked and f'{configuration}|x64'.lower() not in asked:
        raise Refused(f'{path}:1: error: it has no configuration {configuration}|x64 (it has: {", ".join(sorted(asked))})')
    link = project.definitions['Link']
    made = {'name': unescaped(project.properties['targetname'] or project.properties['projectname']), 'entry': link.get('EntryPointSymbol') or None,
            'sources': [], 'own': {}, 'libraries': [], 'wpp-func': [], 'definitions': [],
            'implib': unescaped(link.get('ImportLibrary') or '') or None, 'no-entry': link.get('NoEntryPoint', '').lower() == 'true'}
    for item in project.items:
        names = split(project.expand(item.attributes.get('Include', '')))
        if item.tag == 'ClCompile':
            add_sources(project, item, names, made)
        elif item.tag == 'Library':
            made['libraries'] += names
        elif item.tag not in SILENT_ITEMS and names:
            project.note(item.line, f'<{item.tag}> skipped: {", ".join(names)}')
    for name in split(link.get('ModuleDefinitionFile')):
        made['definitions'].append(project.find(name))
        if not made['definitions'][-1]:
            raise Refused(f'{path}:1: error: no such module-definition file: {name}')
    for name in split(link.get('AdditionalDependencies')):
        made['libraries'].append(project.find(name) or name.replace('\\', '/'))
    if not made['sources']:
        raise Refused(f'{path}:1: error: no source to compile in {configuration}|x64')
    made['notes'] = project.notes
    made['flags'] = ['-DDBG=1'] if configuration.lower() == 'debug' else []
    return made


def add_sources(project, item, names, made):
    values = project.settings(item, dict(project.definitions['ClCompile']))
    if values.get('ExcludedFromBuild', '').lower() == 'true':
        return
    for name in names:
        if re.search(r'[*?]', name):
            raise Refused(f'{project.path}:{item.line}: error: wildcards are not understood: {name}')
        source = project.find(name)
        if not source:
            raise Refused(f'{project.path}:{item.line}: error: no such file: {name}')
        if source in made['own']:
            project.note(item.line, f'{name} is named twice')
            continue
        made['sources'].append(source)
        made['own'][source] = project.flags(values, item.line)
    for key in ('WppTraceFunction', 'WppAdditionalOptions'):
        made['wpp-func'] += [t for t in wpp_functions(key, values.get(key, '')) if t not in made['wpp-func']]


def wpp_functions(key, text):
    if key == 'WppTraceFunction':
        return split(text)
    return re.findall(r'[-/]func:("?[^"\s]+\([^)]*\))', text)
