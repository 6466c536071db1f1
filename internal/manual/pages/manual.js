// The search: all sections are loaded when somebody first wants to search, and looked through here.
const root = document.documentElement.dataset.root
const input = document.querySelector('.search input'), found = document.querySelector('.found')
let sections

const load = () => sections ??= fetch(root + 'search.json').then(r => r.json()).then(all => all.map(s =>
  ({...s, head: (s.h || s.t).toLowerCase(), title: s.t.toLowerCase(), text: s.x.toLowerCase()})))

// rank is how well a section fits: 0 when a word is not in it.
const rank = (s, words) => words.reduce((sum, word) => {
  const fits = (s.head === word ? 60 : s.head.startsWith(word) ? 30 : s.head.includes(' ' + word) ? 20 : s.head.includes(word) ? 5 : 0)
    + (s.title.includes(word) ? 6 : 0) + (s.text.includes(word) ? 2 : 0)
  return sum && fits ? sum + fits : 0
}, 1)

// marked puts text into an element, with the words marked.
const marked = (element, text, words) => {
  const parts = text.split(RegExp('(' + words.map(w => w.replace(/[^\p{L}\p{N}]/gu, '\\$&')).join('|') + ')', 'iu'))
  element.append(...parts.map((part, n) => {
    if (n % 2 === 0) return part
    const mark = document.createElement('mark')
    mark.textContent = part
    return mark
  }))
  return element
}

const around = (s, words) => {
  const at = Math.max(0, Math.min(...words.map(w => s.text.indexOf(w)).filter(n => n >= 0), Infinity))
  const from = Number.isFinite(at) && at > 60 ? s.x.indexOf(' ', at - 50) + 1 : 0
  return (from ? '… ' : '') + s.x.slice(from, from + 160) + (s.x.length > from + 160 ? ' …' : '')
}

async function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) { found.hidden = true; return }
  let all
  try { all = await load() } catch { sections = undefined }
  const best = (all ?? []).map(s => [rank(s, words), s]).filter(([r]) => r).sort((a, b) => b[0] - a[0]).slice(0, 30)
  found.replaceChildren(...best.map(([, s]) => {
    const a = document.createElement('a')
    a.href = root + s.p + (s.a ? '#' + s.a : '')
    const title = marked(document.createElement('b'), s.h || s.t, words)
    const text = marked(document.createElement('small'), (s.h ? s.t + ' · ' : '') + around(s, words), words)
    a.append(title, text)
    return a
  }))
  if (!best.length) {
    const none = document.createElement('p')
    none.textContent = all ? 'Nothing has all of these words.' : 'The index could not be loaded.'
    found.append(none)
  }
  found.hidden = false
}

const move = step => {
  const all = [...found.querySelectorAll('a')], now = all.findIndex(a => a.classList.contains('at'))
  all[now]?.classList.remove('at')
  const next = all[(now + step + all.length) % all.length]
  next?.classList.add('at')
  next?.scrollIntoView({block: 'nearest'})
}

input.addEventListener('focus', () => { load().catch(() => { sections = undefined }); search() })
input.addEventListener('input', search)
input.addEventListener('keydown', e => {
  if (e.key === 'Escape') { found.hidden = true; input.blur() }
  else if (e.key === 'ArrowDown') { e.preventDefault(); move(1) }
  else if (e.key === 'ArrowUp') { e.preventDefault(); move(-1) }
  else if (e.key === 'Enter') (found.querySelector('a.at') ?? found.querySelector('a'))?.click()
})
document.addEventListener('keydown', e => {
  if (e.key === '/' && document.activeElement !== input && !e.ctrlKey && !e.metaKey && !e.altKey) { e.preventDefault(); input.focus() }
})
document.addEventListener('click', e => { if (!e.target.closest('.search') || e.target.closest('.found a')) found.hidden = true })
document.querySelector('nav [aria-current]')?.scrollIntoView({block: 'nearest'})
