import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { benchFolder } from '../../folder.ts'
import { debianProgram, freePort, startPeer } from './peer-program.ts'

/** nginx as it is set up for speed: static files, and PUT where `dav` says so; returns its URL and its root. */
export async function startNginx(stack: AsyncDisposableStack): Promise<{ url: string; root: string }> {
  const nginx = await debianProgram('nginx-light', 'nginx')
  const folder = await benchFolder(stack)
  const root = join(folder, 'root')
  await mkdir(root, { recursive: true })
  const port = await freePort()
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes auto; pid ${folder}/pid; error_log stderr crit;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  server { listen 127.0.0.1:${port}; root ${root}; location / { dav_methods PUT; } }
}
`,
  )
  const url = `http://127.0.0.1:${port}`
  await startPeer(stack, nginx, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], url)
  return { url, root }
}
