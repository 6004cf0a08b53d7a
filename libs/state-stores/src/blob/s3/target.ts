import { assertParameters, decodePart, fileOf, flagOf } from '../url-parameters.ts'

/** Where a bucket is and what of it is ours. */
export interface S3Target {
  /** Undefined: AWS itself. */
  readonly endpoint: string | undefined
  readonly bucket: string
  /** What our keys begin with; empty, or ends with a slash. */
  readonly prefix: string
  readonly region: string
  /** Undefined: found as the AWS tools find them (environment, files, role of the machine). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
  /** The bucket in the path and not in the host name. */
  readonly pathStyle: boolean
  readonly create: boolean
  readonly checksums: 'WHEN_REQUIRED' | 'WHEN_SUPPORTED'
  readonly ca: string | undefined
  /** The address for sentences and logs: without keys and parameters. */
  readonly label: string
}

const form = 's3://bucket/prefix?region=eu-central-1, or s3+http://key:secret@host:port/bucket/prefix?region=us-east-1'
const parameterNames = ['region', 'path-style', 'create', 'checksums', 'ca']

/**
 * Reads `s3://bucket/prefix?region=..` (AWS) and `s3+http://key:secret@host:port/bucket/prefix?region=..` (anything else
 * that speaks S3; `s3+https:` over TLS). Parameters: `region`; `path-style` (default: true, for AWS false); `create=true`
 * makes a missing bucket; `checksums=true` sends those of the SDK, which some servers do not understand; `ca` (PEM file
 * of an authority to trust). Throws a sentence that never holds the secret.
 */
export function parseS3Url(text: string): S3Target {
  const scheme = text.slice(0, text.indexOf(':') + 1)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hostname === '') {
    throw new Error(`the ${scheme} URL is not of the form ${form}; in a secret, / is %2F and + is %2B`)
  }
  const ofAws = scheme === 's3:'
  const path = url.pathname
    .split('/')
    .filter((part) => part !== '')
    .map((part) => decodePart(part, `the ${scheme} URL`))
  const bucket = ofAws ? url.hostname : (path.shift() ?? '')
  const label = ofAws ? `s3://${bucket}` : `${scheme}//${url.host}/${bucket}`
  const parameters = url.searchParams
  assertParameters(parameters, parameterNames, label)
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new Error(
      `${label}: the path has to begin with a bucket: 3 to 63 lower-case letters, digits, dots and hyphens`,
    )
  }
  const prefix = path.map((part) => `${part}/`).join('')
  if (!/^[\w./-]{0,200}$/.test(prefix)) {
    throw new Error(`${label}: a prefix has up to 200 letters, digits and . _ - /`)
  }
  if (ofAws && url.username !== '') {
    throw new Error(`${label}: an s3: URL takes no keys; AWS_ACCESS_KEY_ID and its kin hold them`)
  }
  const region = parameters.get('region') ?? process.env['AWS_REGION'] ?? ''
  if (region === '') throw new Error(`${label}: say in which region it is: ?region=<name>`)
  return {
    endpoint: ofAws ? undefined : `${scheme.slice('s3+'.length)}//${url.host}`,
    bucket,
    prefix,
    region,
    credentials:
      url.username === ''
        ? undefined
        : { accessKeyId: decodePart(url.username, label), secretAccessKey: decodePart(url.password, label) },
    pathStyle: flagOf(parameters, 'path-style', label) ?? !ofAws,
    create: flagOf(parameters, 'create', label) ?? false,
    checksums: flagOf(parameters, 'checksums', label) === true ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
    ca: fileOf(parameters, 'ca', label),
    label,
  }
}
