// Before anything is drawn: the theme that was chosen last, if one was.
{
  const theme = localStorage.getItem('dnsd-theme');
  if (theme === 'light' || theme === 'dark') {
    document.documentElement.dataset.theme = theme;
  }
}
