// The share dialog: the page it stands for, over the one that is read. Without this file its link leads to that page.
(() => {
  'use strict'
  const $ = id => document.getElementById(id)

  async function open(url) {
    const answer = await fetch(url, { headers: { 'HX-Request': 'true', 'HX-Request-Type': 'partial' } })
    if (!answer.ok) return location.assign(url)
    let dialog = $('share')
    if (!dialog) {
      dialog = document.createElement('dialog')
      dialog.id = 'share'
      dialog.setAttribute('aria-label', 'Share')
      document.body.append(dialog)
    }
    dialog.innerHTML = await answer.text()
    const close = document.createElement('button')
    close.className = 'btn'
    close.textContent = 'Close'
    close.onclick = () => dialog.close()
    dialog.firstElementChild.append(close)
    if (!dialog.open) dialog.showModal()
    ready()
  }

  // Asks what the console really answers by the way this browser has to it: a proxy may have changed its headers.
  async function test() {
    const { preview, site } = $('sharing').dataset
    const say = text => { $('policy-said').textContent = text }
    try {
      const answer = await fetch(preview, { method: 'HEAD', cache: 'no-store', credentials: 'omit' })
      if (!answer.ok) return say(`Without a sign-in it answers HTTP ${answer.status}: a page of another site would show that.`)
      const policy = answer.headers.get('Content-Security-Policy') ?? ''
      const may = policy.match(/(^|;)\s*frame-ancestors ([^;,]*)/)?.[2].trim().split(/\s+/).filter(o => o !== "'self'" && o !== "'none'")
      const old = answer.headers.get('X-Frame-Options')
      if (old) return say(`Something on the way adds X-Frame-Options: ${old}. Take it off below /embed/.`)
      if (!may) return say('Something on the way takes off the policy that says who may frame it.')
      if (policy.split('frame-ancestors').length > 2) return say('Something on the way adds a second policy; the narrower one counts.')
      if (site && site !== location.origin && !may.includes(site)) return say(`The browser will not let pages of ${site} frame it. These may: ${may.join(', ') || 'none'}.`)
      say(`It holds. Pages of these sites may frame it: ${may.join(', ') || 'none but this console’s own'}.`)
    } catch { say('The console did not answer.') }
  }

  function ready() {
    const button = $('policy')
    if (!button) return
    button.hidden = false
    button.onclick = test
    if (!navigator.clipboard) return
    for (const pre of document.querySelectorAll('#sharing pre')) {
      const copy = document.createElement('button')
      copy.className = 'btn'
      copy.textContent = 'Copy'
      copy.onclick = async () => { await navigator.clipboard.writeText(pre.textContent); copy.textContent = 'Copied' }
      pre.after(copy)
    }
  }

  document.addEventListener('click', e => {
    const link = e.target.closest?.('a[data-share]')
    if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.button || link.closest('main #sharing')) return
    e.preventDefault()
    open(link.href)
  })
  document.addEventListener('submit', e => {
    if (!e.target.matches('dialog form[data-share]')) return
    e.preventDefault()
    open(e.target.action + '?' + new URLSearchParams(new FormData(e.target)))
  })
  ready()
})()
