import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached, cachedFolder } from '@ballast/backends/cache'

const run = promisify(execFile)
const version = 'v2.16.2'
/** What `docker compose config` does before it prints: interpolation, normalization, schema, consistency, with all profiles. */
const source = `package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[1:], cli.WithProfiles([]string{"*"}))
	if err == nil {
		project, loadError := options.LoadProject(context.Background())
		if err = loadError; err == nil {
			text, _ := project.MarshalJSON()
			fmt.Println(string(text))
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
`
const recipe = `${version} ${source}`

/**
 * The loader of docker compose 2 (compose-go) as a program that prints, as JSON, what it has understood of a file: from the cache,
 * or, with `fetch` and Go, built once from the Go module proxy. Undefined where there is none. It needs no engine.
 */
export async function findComposeLoader(fetch: boolean): Promise<string | undefined> {
  const folder = cachedFolder('compose-go', recipe) ?? (fetch ? await build() : undefined)
  return folder && join(folder, 'load')
}

async function build(): Promise<string | undefined> {
  if ((await run('go', ['version']).catch(() => undefined)) === undefined) return undefined
  return cached('compose-go', recipe, async (draft) => {
    await writeFile(join(draft, 'main.go'), source)
    await writeFile(
      join(draft, 'go.mod'),
      `module ballast/compose\n\nrequire github.com/compose-spec/compose-go/v2 ${version}\n`,
    )
    const env = { ...process.env, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' }
    await run('go', ['build', '-o', join(draft, 'load'), '.'], { cwd: draft, env })
  })
}
