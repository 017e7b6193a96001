import { useGraphiQL, useMonaco } from '@graphiql/react'
import { useEffect } from 'react'

type Theme = 'dark' | 'light'

/** The accent colours of page.css. The editor cannot read custom properties. */
const ACCENTS: Readonly<Record<Theme, { base: 'vs' | 'vs-dark'; accent: string; surface: string; argument: string }>> =
  {
    dark: { base: 'vs-dark', accent: '#2dd4bf', surface: '#212a3b', argument: '#908aff' },
    light: { base: 'vs', accent: '#0f766e', surface: '#ffffff', argument: '#5b57c4' },
  }

/** Themes under the names of GraphiQL's own two, which they replace. */
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

/** The font that GraphiQL sets. Its style sheet includes the font face. */
const EDITOR_FONT = '15px "Fira Code"'

/** Settings that the editor has no property for: colours, character width and wrapping of long lines. */
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

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new editor measures its characters again
  useEffect(() => {
    // The editor measures its characters once. Before the font is loaded, cursor and guides would be misplaced.
    if (monaco) void document.fonts.load(EDITOR_FONT).then(() => monaco.editor.remeasureFonts())
  }, [monaco, queryEditor])

  useEffect(() => {
    for (const editor of [queryEditor, variableEditor]) editor?.updateOptions({ wordWrap: 'on' })
  }, [queryEditor, variableEditor])

  return null
}
