import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { createClient, locationOf } from './client.ts'
import { statusOf, whatBecame } from './outcome.ts'
import type { S3Target } from './target.ts'

export type Metadata = Readonly<Record<string, string>>

export interface ObjectInfo {
  readonly metadata: Metadata
  /** Of the whole object, also where a range of it was asked for. */
  readonly sizeBytes: number
}

export interface ObjectBody extends ObjectInfo {
  readonly stream: Readable
}

/** `taken`: there is an object of that key. `conflict`: another conditional write is under way; try again. */
export type Stored = 'stored' | 'taken' | 'conflict'

/** Slower than this is taken for a server that has stopped. */
const slowestBytesPerMs = 1000

/**
 * The requests that we make, each once (the SDK's retries are off) and each with a time-out. Keys are relative to the
 * prefix. Errors are what became of the request.
 */
export class Bucket {
  readonly label: string
  readonly timeoutMs: number
  readonly #client: S3Client
  readonly #target: S3Target

  constructor(target: S3Target, timeoutMs: number) {
    this.#target = target
    this.timeoutMs = timeoutMs
    this.label = target.label
    this.#client = createClient(target, timeoutMs)
  }

  /** Rejects unless the bucket is there and may be looked at. */
  async checkBucket(): Promise<void> {
    await this.#ask((options) => this.#client.send(new HeadBucketCommand(this.#bucket), options))
  }

  async createBucket(): Promise<void> {
    const location = locationOf(this.#target.region)
    const place = location && { CreateBucketConfiguration: { LocationConstraint: location } }
    await this.#ask((options) => this.#client.send(new CreateBucketCommand({ ...this.#bucket, ...place }), options))
  }

  /** Undefined when there is none. */
  head(key: string): Promise<ObjectInfo | undefined> {
    return this.#unlessMissing(async (options) => {
      const found = await this.#client.send(new HeadObjectCommand(this.#object(key)), options)
      return { metadata: found.Metadata ?? {}, sizeBytes: found.ContentLength ?? 0 }
    })
  }

  /** Undefined when there is none; `range` as in the HTTP header. Whoever gets a stream reads or destroys it. */
  get(key: string, range?: string): Promise<ObjectBody | undefined> {
    return this.#unlessMissing(async (options) => {
      const input = { ...this.#object(key), ...(range && { Range: range }) }
      const found = await this.#client.send(new GetObjectCommand(input), options)
      if (!(found.Body instanceof Readable)) throw new TypeError('an answer without a stream')
      const total = /\/(\d+)$/.exec(found.ContentRange ?? '')?.[1]
      return {
        metadata: found.Metadata ?? {},
        sizeBytes: total === undefined ? (found.ContentLength ?? 0) : Number(total),
        stream: found.Body,
      }
    })
  }

  put(key: string, body: Uint8Array, metadata: Metadata, onlyIfNew: boolean): Promise<Stored> {
    const input = { ...this.#object(key), Body: body, Metadata: { ...metadata }, ...condition(onlyIfNew) }
    return this.#store((options) => this.#client.send(new PutObjectCommand(input), options), body.length)
  }

  async remove(key: string): Promise<void> {
    await this.#ask((options) => this.#client.send(new DeleteObjectCommand(this.#object(key)), options))
  }

  /** Keys below `folder`, in their order, relative to it. */
  async list(folder: string, after: string | undefined, limit: number): Promise<{ keys: string[]; more: boolean }> {
    const prefix = this.#key(folder)
    const input = { ...this.#bucket, Prefix: prefix, MaxKeys: limit, ...(after && { StartAfter: `${prefix}${after}` }) }
    const found = await this.#ask((options) => this.#client.send(new ListObjectsV2Command(input), options))
    const keys = (found.Contents ?? []).map(({ Key = '' }) => Key.slice(prefix.length))
    return { keys, more: found.IsTruncated === true }
  }

  async beginUpload(key: string, metadata: Metadata): Promise<string> {
    const input = { ...this.#object(key), Metadata: { ...metadata } }
    const { UploadId: id } = await this.#ask((options) =>
      this.#client.send(new CreateMultipartUploadCommand(input), options),
    )
    if (id === undefined) throw new TypeError('an upload without an id')
    return id
  }

  /** Returns the part's tag. */
  async putPart(key: string, uploadId: string, number: number, body: Buffer): Promise<string> {
    const input = { ...this.#object(key), UploadId: uploadId, PartNumber: number, Body: body }
    const send = (options: Options) => this.#client.send(new UploadPartCommand(input), options)
    const { ETag: tag } = await this.#ask(send, body.length)
    if (tag === undefined) throw new TypeError('a part without a tag')
    return tag
  }

  completeUpload(key: string, uploadId: string, tags: readonly string[], onlyIfNew: boolean): Promise<Stored> {
    const Parts = tags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }))
    const upload = { UploadId: uploadId, MultipartUpload: { Parts } }
    const input = { ...this.#object(key), ...upload, ...condition(onlyIfNew) }
    // The server puts the parts together before it answers.
    const sizeBytes = tags.length * 8 * 2 ** 20
    return this.#store((options) => this.#client.send(new CompleteMultipartUploadCommand(input), options), sizeBytes)
  }

  async abortUpload(key: string, uploadId: string): Promise<void> {
    const input = { ...this.#object(key), UploadId: uploadId }
    await this.#ask((options) => this.#client.send(new AbortMultipartUploadCommand(input), options))
  }

  close(): void {
    this.#client.destroy()
  }

  get #bucket(): { readonly Bucket: string } {
    return { Bucket: this.#target.bucket }
  }

  #key(key: string): string {
    return `${this.#target.prefix}${key}`
  }

  #object(key: string): { readonly Bucket: string; readonly Key: string } {
    return { ...this.#bucket, Key: this.#key(key) }
  }

  async #store(send: (options: Options) => Promise<unknown>, sizeBytes: number): Promise<Stored> {
    try {
      await this.#ask(send, sizeBytes)
      return 'stored'
    } catch (error) {
      const status = error instanceof Error ? statusOf(error.cause) : undefined
      if (status === 412) return 'taken'
      if (status === 409) return 'conflict'
      throw error
    }
  }

  async #unlessMissing<Found>(send: (options: Options) => Promise<Found>): Promise<Found | undefined> {
    try {
      return await this.#ask(send)
    } catch (error) {
      if (error instanceof Error && statusOf(error.cause) === 404) return undefined
      throw error
    }
  }

  async #ask<Answer>(send: (options: Options) => Promise<Answer>, sizeBytes = 0): Promise<Answer> {
    const limitMs = this.timeoutMs + sizeBytes / slowestBytesPerMs
    const timer = new AbortController()
    const timeout = setTimeout(() => timer.abort(), limitMs)
    try {
      return await send({ abortSignal: timer.signal })
    } catch (error) {
      if (timer.signal.aborted) {
        throw whatBecame(new Error(`no answer within ${Math.round(limitMs)} ms`, { cause: error }), this.label)
      }
      throw whatBecame(error, this.label)
    } finally {
      clearTimeout(timeout)
    }
  }
}

interface Options {
  readonly abortSignal: AbortSignal
}

const condition = (onlyIfNew: boolean): { IfNoneMatch?: '*' } => (onlyIfNew ? { IfNoneMatch: '*' } : {})
