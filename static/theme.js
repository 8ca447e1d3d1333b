// Sets what the reader chose before anything is painted: hence in the head, not deferred.
(() => {
  const root = document.documentElement
  root.dataset.js = ''
  try {
    for (const name of ['theme', 'times', 'density', 'live']) {
      const choice = (name === 'live' ? sessionStorage : localStorage).getItem('wd-' + name)
      if (choice) root.dataset[name] = choice
    }
  } catch { /* storage is switched off: what the system prefers */ }
})()
