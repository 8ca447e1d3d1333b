// The share dialog. Without this file its link leads to a page.
(() => {
  'use strict'
  const $ = id => document.getElementById(id)
  const button = (text, act) => Object.assign(document.createElement('button'), { className: 'btn', textContent: text, onclick: act })
  let dialog

  async function open(url) {
    const answer = await fetch(url, { headers: { 'HX-Request-Type': 'partial' } })
    if (!answer.ok) return location.assign(url)
    if (!dialog) {
      dialog = document.createElement('dialog')
      dialog.id = dialog.ariaLabel = 'share'
      document.body.append(dialog)
    }
    dialog.innerHTML = await answer.text()
    dialog.firstElementChild.append(button('Close', () => dialog.close()))
    if (!dialog.open) dialog.showModal()
    ready()
  }

  // What this browser really receives
  async function test() {
    const { preview, site } = $('sharing').dataset
    const answer = await fetch(preview, { method: 'HEAD', cache: 'no-store', credentials: 'omit' }).catch(() => ({}))
    const header = name => answer.headers.get(name) ?? ''
    const policy = answer.ok && /frame-ancestors ([^;,]*)/.exec(header('Content-Security-Policy'))
    const may = policy && (policy[1].match(/http\S+/g) ?? [])
    const said = $('policy-said')
    said.textContent = !answer.ok ? `It answers HTTP ${answer.status} to who has not signed in.`
      : !may ? 'A proxy takes the policy off.'
      : header('X-Frame-Options') ? 'A proxy adds X-Frame-Options.'
      : site && !may.includes(site) && site !== location.origin ? `The browser will not let pages of ${site} frame it.`
      : `It holds. Pages of these sites may frame it: ${may.join(', ') || 'none'}.`
    said.focus() // it is read where it was asked for
  }

  function ready() {
    if (!$('policy')) return
    $('policy').hidden = false
    $('policy').onclick = test
    for (const pre of document.querySelectorAll('#sharing pre')) {
      pre.after(button('Copy', e => navigator.clipboard.writeText(pre.textContent).then(() => { e.target.textContent = 'Copied' })))
    }
  }

  document.addEventListener('click', e => {
    const link = e.target.closest?.('a[data-share]')
    if (!link || e.ctrlKey || e.metaKey || e.shiftKey || link.closest('main #sharing')) return
    e.preventDefault()
    open(link.href)
  })
  ready()
})()
