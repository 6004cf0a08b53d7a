import { render } from 'preact'
import { App } from './app.tsx'
import { eventsUrl } from './call.ts'
import { keepToken } from './connection.ts'
import { Feeds } from './feeds.ts'

// The launcher prints an address with its token in the fragment, which no server ever sees; it does not stay there.
const given = /^#token=(.+)$/.exec(location.hash)?.[1]
if (given !== undefined) {
  keepToken(decodeURIComponent(given))
  history.replaceState(null, '', location.pathname)
}

const place = document.querySelector('#app')
const feeds = new Feeds(eventsUrl)
feeds.start()
if (place !== null) render(<App feeds={feeds} />, place)
