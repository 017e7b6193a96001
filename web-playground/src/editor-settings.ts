import { useGraphiQL, useMonaco } from '@graphiql/react'
import { useEffect } from 'react'

type Theme = 'dark' | 'light'

/** The accents of page.css, as the editor wants them: it reads no custom properties. */
const ACCENTS: Readonly<Record<Theme, { base: 'vs' | 'vs-dark'; accent: string; surface: string; argument: string }>> =
  {
    dark: { base: 'vs-dark', accent: '#2dd4bf', surface: '#212a3b', argument: '#908aff' },
    light: { base: 'vs', accent: '#0f766e', surface: '#ffffff', argument: '#5b57c4' },
  }

/** By the names that GraphiQL gives its own two, which these replace. */
const THEME_NAMES: Readonly<Record<Theme, string>> = { dark: 'graphiql-DARK', light: 'graphiql-LIGHT' }

const themeColours = (theme: Theme): Record<string, string> => {
  const { accent, surface } = ACCENTS[theme]
  const wash = `${accent}1f`
  return {
    'editor.background': '#ffffff00',
    'scrollbar.shadow': '#ffffff00',
    'textLink.foreground': accent,
    'textLink.activeForeground': accent,
    'editorHoverWidget.background': surface,
    'editorSuggestWidget.background': surface,
    'editorSuggestWidget.selectedBackground': wash,
    'editorSuggestWidget.selectedForeground': accent,
    'editorSuggestWidget.highlightForeground': accent,
    'editorWidget.background': surface,
    'menu.background': surface,
    'menu.selectionBackground': wash,
    'menu.selectionForeground': accent,
    'quickInput.background': surface,
    'quickInputList.focusBackground': wash,
    'list.hoverBackground': wash,
    'list.highlightForeground': accent,
    focusBorder: accent,
  }
}

/** The editor's, as GraphiQL sets it; its style sheet brings the face along. */
const EDITOR_FONT = '15px "Fira Code"'

/** What the editor offers no property for: its colours, its letters' width, and long lines that wrap. */
export const EditorSettings = (): null => {
  const monaco = useMonaco((state) => state.monaco)
  const queryEditor = useGraphiQL((state) => state.queryEditor)
  const variableEditor = useGraphiQL((state) => state.variableEditor)

  useEffect(() => {
    for (const theme of ['dark', 'light'] as const) {
      const { base, argument } = ACCENTS[theme]
      const rules = [{ token: 'argument.identifier.gql', foreground: argument }]
      monaco?.editor.defineTheme(THEME_NAMES[theme], { base, inherit: true, rules, colors: themeColours(theme) })
    }
  }, [monaco])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new editor measures its letters again
  useEffect(() => {
    // The editor measures its letters once; done before their face is there, cursor and guides stand beside the text.
    if (monaco) void document.fonts.load(EDITOR_FONT).then(() => monaco.editor.remeasureFonts())
  }, [monaco, queryEditor])

  useEffect(() => {
    for (const editor of [queryEditor, variableEditor]) editor?.updateOptions({ wordWrap: 'on' })
  }, [queryEditor, variableEditor])

  return null
}
