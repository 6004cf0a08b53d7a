declare module 'hashring' {
  export default class HashRing {
    constructor(nodes: readonly string[])
    get(key: string): string
  }
}
declare module 'consistent-hash' {
  export default class ConsistentHash {
    add(node: string): this
    remove(node: string): this
    get(key: string): string
  }
}
declare module 'consistent-hashing' {
  export default class ConsistentHashing {
    constructor(nodes: readonly string[])
    getNode(key: string): string
  }
}
