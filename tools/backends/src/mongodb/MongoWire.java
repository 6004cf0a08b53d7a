import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import java.io.File;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/**
 * MongoWire PORT memory|h2:FILE [KEYSTORE PASSWORD]: a server that speaks MongoDB's wire protocol, for tests.
 *
 * It is mongo-java-server with six differences, each of which a real mongod has by itself: it reports wire version 9
 * (the driver's minimum), an insert's reply counts the documents that went in, a write command may hold 100,000
 * documents, a write that asks for the journal or a majority is on disk, whole, before its reply, documents on disk are BSON,
 * and a whole collection is counted without decoding it. serverStatus carries opcounters, which count commands.
 */
public class MongoWire {
  static final Set<String> WRITES = Set.of("insert", "update", "delete", "findandmodify", "create", "createindexes",
      "drop", "dropindexes", "dropdatabase", "renamecollection");
  static final MVMap.Builder<Object, Document> DOCUMENTS =
      new MVMap.Builder<Object, Document>().keyType(new StoredTypes.Keys()).valueType(new StoredTypes.Documents());
  static final MVMap.Builder<Object, Object> POSITIONS =
      new MVMap.Builder<Object, Object>().keyType(new StoredTypes.Keys()).valueType(new StoredTypes.Keys());
  static final Map<String, AtomicLong> COUNTERS = new TreeMap<>();

  static {
    for (String name : List.of("insert", "update", "delete", "findAndModify", "find", "aggregate", "count", "getMore", "command"))
      COUNTERS.put(name, new AtomicLong());
  }

  static Document handle(String database, String command, Document query, BiFunction<String, Document, Document> server,
      Runnable sync) {
    COUNTERS.getOrDefault(command, COUNTERS.get("command")).incrementAndGet();
    if (countsAll(command, query)) {
      Object collection = query.get("aggregate");
      return asCursor(database, collection, server.apply("count", new Document("count", collection)).get("n"));
    }
    if (!WRITES.contains(command.toLowerCase())) {
      Document reply = server.apply(command, query);
      if (reply != null && reply.containsKey("maxWriteBatchSize")) reply.put("maxWriteBatchSize", 100000);
      return reply;
    }
    synchronized (COUNTERS) {
      return write(command, query, () -> server.apply(command, query), sync);
    }
  }

  /** What a driver sends for countDocuments({}): the library decodes every document for it, while nobody else is served. */
  static boolean countsAll(String command, Document query) {
    return command.equals("aggregate") && query.get("pipeline") instanceof List<?> stages && stages.equals(List.of(
        new Document("$match", new Document()),
        new Document("$group", new Document("_id", 1).append("n", new Document("$sum", 1)))));
  }

  static Document asCursor(String database, Object collection, Object count) {
    List<Document> batch = count.equals(0) ? List.of() : List.of(new Document("_id", 1).append("n", count));
    Document cursor = new Document("id", 0L).append("ns", database + "." + collection).append("firstBatch", batch);
    return new Document("cursor", cursor).append("ok", 1.0);
  }

  /** One at a time and never committed half way: a kill must not leave a document that its index does not know. */
  static Document write(String command, Document query, Supplier<Document> server, Runnable sync) {
    Document reply = server.get();
    if (reply == null) return null;
    if (command.equals("insert") && reply.get("writeErrors") instanceof Collection<?> errors && !errors.isEmpty()) {
      boolean ordered = !Boolean.FALSE.equals(query.get("ordered"));
      int sent = ((Collection<?>) query.get("documents")).size();
      reply.put("n", ordered ? ((Document) errors.iterator().next()).get("index") : sent - errors.size());
    }
    if (wantsJournal(query)) sync.run();
    return reply;
  }

  static boolean wantsJournal(Document query) {
    return query.get("writeConcern") instanceof Document concern
        && (Boolean.TRUE.equals(concern.get("j")) || "majority".equals(concern.get("w")));
  }

  static Document withCounters(Document status) {
    Document counters = new Document();
    COUNTERS.forEach((name, count) -> counters.put(name, count.get()));
    status.put("opcounters", counters);
    return status;
  }

  static MongoBackend open(String storage) {
    if (storage.equals("memory")) {
      return new MemoryBackend() {
        @Override public Document handleCommand(Channel channel, String database, String command, Document query) {
          return handle(database, command, query, (name, asked) -> super.handleCommand(channel, database, name, asked),
              () -> { });
        }
        @Override public Document getServerStatus() { return withCounters(super.getServerStatus()); }
      };
    }
    MVStore store = new MVStore.Builder().fileName(storage.substring("h2:".length())).autoCommitDisabled().open();
    return new H2Backend(store) {
      /** The library opens a map that is open already as it is. */
      @Override protected MongoDatabase openOrCreateDatabase(String name) {
        return new H2Database(name, store, getCursorRegistry()) {
          @Override protected MongoCollection<Object> openOrCreateCollection(String collection, CollectionOptions options) {
            store.openMap("databases." + getFullCollectionNamespace(collection), DOCUMENTS);
            return super.openOrCreateCollection(collection, options);
          }
          @Override protected Index<Object> openOrCreateUniqueIndex(String collection, String index, List<IndexKey> keys,
              boolean sparse) {
            store.openMap(getFullCollectionNamespace(collection) + "._index_" + index, POSITIONS);
            return super.openOrCreateUniqueIndex(collection, index, keys, sparse);
          }
        };
      }
      @Override public Document handleCommand(Channel channel, String database, String command, Document query) {
        return handle(database, command, query, (name, asked) -> super.handleCommand(channel, database, name, asked),
            () -> { commit(); getMvStore().sync(); });
      }
      @Override public Document getServerStatus() { return withCounters(super.getServerStatus()); }
    };
  }

  static void encrypt(MongoServer server, String path, char[] password) throws Exception {
    KeyStore keys = KeyStore.getInstance(new File(path), password);
    String alias = keys.aliases().nextElement();
    PrivateKey key = (PrivateKey) keys.getKey(alias, password);
    server.enableSsl(key, null, (X509Certificate) keys.getCertificate(alias));
  }

  public static void main(String[] arguments) throws Exception {
    MongoBackend backend = open(arguments[1]);
    backend.version(new MongoVersion() {
      public List<Integer> getVersionArray() { return List.of(4, 4, 0); }
      public int getWireVersion() { return 9; }
    });
    MongoServer server = new MongoServer(backend);
    if (arguments.length > 2) encrypt(server, arguments[2], arguments[3].toCharArray());
    server.bind("127.0.0.1", Integer.parseInt(arguments[0]));
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    System.out.println("ready " + server.getLocalAddress().getPort());
    Thread.currentThread().join();
  }
}
