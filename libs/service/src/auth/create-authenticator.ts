import { ConfigError } from '../config/config-error.ts'
import type { ServiceSettings } from '../config/service-options.ts'
import { readText, type Reloads } from '../process/reloads.ts'
import { CertificateAuthenticator } from './certificates.ts'
import { openToAll, type Authenticator } from './principal.ts'
import { TokenAuthenticator } from './tokens.ts'

type Settings = Pick<ServiceSettings, 'auth' | 'authTokens' | 'authSubjects' | 'tlsClientCa'>

/** The authenticator that the settings ask for; its file is read again when it changes. Throws ConfigError. */
export function createAuthenticator(settings: Settings, reloads: Reloads): Authenticator {
  if (settings.auth === 'tokens') {
    const path = required(settings.authTokens, '--auth tokens needs --auth-tokens <file>')
    const authenticator = new TokenAuthenticator(readText(path, '--auth-tokens'), path)
    reloads.watch('tokens', [path], () => authenticator.replace(readText(path, '--auth-tokens'), path))
    return authenticator
  }
  if (settings.auth === 'mtls') {
    required(settings.tlsClientCa, '--auth mtls needs --tls-client-ca <file>, with --tls-cert and --tls-key')
    const path = required(settings.authSubjects, '--auth mtls needs --auth-subjects <file>')
    const authenticator = new CertificateAuthenticator(readText(path, '--auth-subjects'), path)
    reloads.watch('subjects', [path], () => authenticator.replace(readText(path, '--auth-subjects'), path))
    return authenticator
  }
  return openToAll
}

function required(value: string | undefined, otherwise: string): string {
  if (value === undefined) throw new ConfigError(otherwise)
  return value
}
