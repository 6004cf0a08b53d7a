import { useEffect, useState } from 'preact/hooks'
import { only } from './call.ts'
import { keepToken, token } from './connection.ts'
import type { Feeds, Model } from './feeds.ts'
import { fieldOf } from './parts.tsx'
import { Overview } from './overview.tsx'
import { pages, ServicePage } from './service-page.tsx'

function useModel(feeds: Feeds): Model {
  const [model, setModel] = useState(feeds.model)
  useEffect(() => {
    const stop = feeds.listen(() => setModel(feeds.model))
    // What was heard between the first picture and now; a refusal is said once, and nothing follows it.
    setModel(feeds.model)
    return stop
  }, [feeds])
  return model
}

const named = (): string => /^#\/([a-z-]+)$/.exec(location.hash)?.[1] ?? ''

/** The page that the fragment names: `#/scaler`; '' is the overview. */
function usePage(): string {
  const [page, setPage] = useState(named())
  useEffect(() => {
    const changed = (): void => setPage(named())
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return pages.has(page) ? page : ''
}

export function App({ feeds }: { readonly feeds: Feeds }) {
  const model = useModel(feeds)
  const asked = usePage()
  const page = only === '' ? asked : only
  return (
    <>
      <a class="skip" href="#main" onClick={skipToMain}>
        Skip to the content
      </a>
      <header>
        <p class="brand">
          <a href={only === '' ? '#/' : '#'}>Ballast</a>
        </p>
        <nav aria-label="Services">
          {only === '' &&
            ['', ...pages.keys()]
              .filter((name) => name === '' || model.feeds.size === 0 || model.feeds.has(name))
              .map((name) => (
                <a key={name} href={`#/${name}`} aria-current={page === name ? 'page' : undefined}>
                  {name === '' ? 'overview' : name}
                </a>
              ))}
        </nav>
        <Token model={model} feeds={feeds} />
      </header>
      <main id="main" tabIndex={-1}>
        {page === '' ? <Overview model={model} /> : <ServicePage service={page} model={model} />}
      </main>
    </>
  )
}

/** A link to `#main` would be taken for a page. */
function skipToMain(event: Event): void {
  event.preventDefault()
  document.querySelector<HTMLElement>('#main')?.focus()
}

/** Who the page acts as, and how to become somebody else. */
function Token({ model: { access, link }, feeds }: { readonly model: Model; readonly feeds: Feeds }) {
  const [open, setOpen] = useState(false)
  if (access?.scheme === 'none') return <p class="access">open to all who reach it</p>
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const { currentTarget } = event
    if (!(currentTarget instanceof HTMLFormElement)) return
    keepToken(fieldOf(new FormData(currentTarget), 'token'))
    setOpen(false)
    feeds.start()
  }
  if (!open && link.kind !== 'refused') {
    return (
      <p class="access">
        {access === undefined || access.role === 'reader' ? 'read-only' : access.role}{' '}
        <button type="button" onClick={() => setOpen(true)}>
          Token
        </button>
      </p>
    )
  }
  return (
    <form class="access" onSubmit={submit}>
      <label>
        Token <input name="token" type="password" autocomplete="off" defaultValue={token()} />
      </label>
      <button>Use</button>
    </form>
  )
}
