import { createTheme } from '@mantine/core';

/** Dense and calm: data has the colour, the frame around it has none. */
export const THEME = createTheme({
  fontFamily: 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  primaryColor: 'blue',
  // White letters on a filled button are readable from here on (WCAG asks for 4.5 to 1).
  primaryShade: 8,
  // Shades of the ground and the panels of `base.css`, so that menus and bars belong to them.
  colors: {
    dark: [
      '#c9ced6',
      '#b0b8c4',
      '#8f98a6',
      '#5c6470',
      '#363c45',
      '#2a2e35',
      '#1f2328',
      '#181b1f',
      '#14171a',
      '#111317',
    ],
  },
  defaultRadius: 'sm',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  components: {
    // A name needs a role to belong to.
    Loader: { defaultProps: { role: 'status' } },
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    Drawer: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
  },
});
