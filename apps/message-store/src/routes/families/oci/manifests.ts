import { serviceProblems } from '@ballast/service'
import { sha256, type EntryName } from '@ballast/state-stores/blob'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Check } from 'typebox/value'
import { failureOf, refusal, refusedRemoval } from '../../../refusals.ts'
import { collect, parseJson } from '../../../transfer/collect.ts'
import { storing } from '../../../transfer/receive.ts'
import { send, type Sender } from '../../../transfer/send.ts'
import { hexOf, ociName, type Reference } from './names.ts'

/** Registries agree on this much. */
const maxManifestBytes = 4 * 2 ** 20
const defaultType = 'application/vnd.oci.image.manifest.v1+json'

const Descriptor = Type.Object({ digest: Type.String(), urls: Type.Optional(Type.Array(Type.String())) })
const Manifest = Type.Object({
  mediaType: Type.Optional(Type.String()),
  config: Type.Optional(Descriptor),
  layers: Type.Optional(Type.Array(Descriptor)),
  manifests: Type.Optional(Type.Array(Descriptor)),
})

/** Manifests by digest, each with the media type that it came with, and tags that lead to digests. */
export class Manifests {
  readonly #sender: Sender

  constructor(sender: Sender) {
    this.#sender = sender
  }

  /** What it refers to must be there; it is readable by its digest before its tag leads to it. */
  async put(
    repository: string,
    reference: Reference,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const bytes = await collect(request, maxManifestBytes)
    const digest = sha256(bytes)
    if ('digest' in reference && reference.digest !== digest) {
      throw serviceProblems.create('invalid-request', `The manifest has the digest sha256:${digest}.`, {
        extensions: { oci: 'DIGEST_INVALID' },
      })
    }
    const type = await this.#validated(repository, bytes, request.headers['content-type'])
    await this.#store(ociName('types', repository, digest), Buffer.from(type))
    await this.#store(ociName('manifests', repository, digest), bytes)
    if ('tag' in reference) {
      await this.#store(ociName('tags', repository, reference.tag), Buffer.from(`sha256:${digest}`))
    }
    return reply
      .code(201)
      .header('location', `/v2/${repository}/manifests/sha256:${digest}`)
      .header('docker-content-digest', `sha256:${digest}`)
      .send()
  }

  async get(
    repository: string,
    reference: Reference,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const digest = await this.#resolve(repository, reference)
    const contentType = await this.#text(ociName('types', repository, digest))
    void reply.header('docker-content-digest', `sha256:${digest}`)
    const sent = await send(this.#sender, ociName('manifests', repository, digest), request, reply, {
      family: 'oci',
      cacheControl: 'no-cache',
      contentType: contentType ?? defaultType,
    })
    if (sent === undefined) throw unknown(`sha256:${digest}`)
    return sent
  }

  /** A tag goes alone; a digest with it all tags that lead to it. */
  async remove(repository: string, reference: Reference, reply: FastifyReply): Promise<FastifyReply> {
    if ('tag' in reference) {
      if (!(await this.#remove(ociName('tags', repository, reference.tag)))) throw unknown(reference.tag)
      return reply.code(202).send()
    }
    const { digest } = reference
    for (const tag of await this.tags(repository)) {
      const name = ociName('tags', repository, tag)
      if ((await this.#text(name)) === `sha256:${digest}`) await this.#remove(name)
    }
    if (!(await this.#remove(ociName('manifests', repository, digest)))) throw unknown(`sha256:${digest}`)
    await this.#remove(ociName('types', repository, digest))
    return reply.code(202).send()
  }

  /** All of them, in the order of their characters. */
  async tags(repository: string): Promise<readonly string[]> {
    const tags: string[] = []
    const { namespace } = ociName('tags', repository, 'any')
    for (let after: string | undefined; ;) {
      const { entries, next } = await this.#sender.blobs.scan(namespace, after, 1_000)
      tags.push(...entries.map(({ key }) => key))
      if (next === undefined) return tags.toSorted()
      after = next
    }
  }

  async #validated(repository: string, bytes: Buffer, contentType: string | undefined): Promise<string> {
    const manifest = parseJson(bytes)
    const type = contentType?.split(';', 1)[0]?.trim() ?? ''
    if (!Check(Manifest, manifest) || !/^application\/(vnd\.[\w.+-]{1,120}|json)$/.test(type)) {
      throw invalid('It is a JSON object of an OCI or Docker media type, with descriptors that have digests.')
    }
    if (manifest.mediaType !== undefined && type !== manifest.mediaType) {
      throw invalid(`It says that it is ${manifest.mediaType}, and was sent as ${type}.`)
    }
    const { config, layers = [], manifests = [] } = manifest
    const needed = [config ?? [], layers.filter(({ urls }) => urls === undefined)].flat()
    const names = [
      ...needed.map(({ digest }) => ociName('blobs', repository, hexOf(digest) ?? 'none')),
      ...manifests.map(({ digest }) => ociName('manifests', repository, hexOf(digest) ?? 'none')),
    ]
    const found = await this.#sender.blobs.stat(names)
    const missing = [...needed, ...manifests].find((_, index) => found[index] === undefined)
    if (missing === undefined) return type
    throw serviceProblems.create('not-found', `It refers to ${missing.digest}, which is not in ${repository}.`, {
      extensions: { oci: 'MANIFEST_BLOB_UNKNOWN' },
    })
  }

  async #resolve(repository: string, reference: Reference): Promise<string> {
    if ('digest' in reference) return reference.digest
    const digest = hexOf((await this.#text(ociName('tags', repository, reference.tag))) ?? '')
    if (digest === undefined) throw unknown(reference.tag)
    return digest
  }

  async #text(name: EntryName): Promise<string | undefined> {
    try {
      await using blob = await this.#sender.blobs.open(name)
      return blob?.bytes?.toString('utf8')
    } catch (error) {
      throw refusal(error) ?? error
    }
  }

  async #store(name: EntryName, bytes: Buffer): Promise<void> {
    await storing(this.#sender.metrics, 'oci', () => this.#sender.blobs.put({ name }, bytes))
  }

  async #remove(name: EntryName): Promise<boolean> {
    try {
      const outcome = await this.#sender.blobs.remove(name)
      this.#sender.metrics.deleted(outcome, 'oci')
      return outcome === 'removed'
    } catch (error) {
      this.#sender.metrics.deleted(failureOf(error), 'oci')
      throw refusedRemoval(error) ?? error
    }
  }
}

const invalid = (detail: string) =>
  serviceProblems.create('invalid-request', detail, { extensions: { oci: 'MANIFEST_INVALID' } })

const unknown = (what: string) =>
  serviceProblems.create('not-found', `There is no manifest ${what}.`, { extensions: { oci: 'MANIFEST_UNKNOWN' } })
