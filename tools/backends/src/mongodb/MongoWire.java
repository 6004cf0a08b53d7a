import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
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
import java.util.function.Supplier;

/**
 * MongoWire PORT memory|h2:FILE [KEYSTORE PASSWORD]: a server that speaks MongoDB's wire protocol, for tests.
 *
 * It is mongo-java-server with four differences, each of which a real mongod has by itself: it reports wire version 9
 * (the driver's minimum), an insert's reply counts the documents that went in, a write command may hold 100,000
 * documents, and a write that asks for the journal or a majority is on disk, whole, before its reply. serverStatus carries
 * opcounters, which count commands.
 */
public class MongoWire {
  static final Set<String> WRITES = Set.of("insert", "update", "delete", "findandmodify", "create", "createindexes",
      "drop", "dropindexes", "dropdatabase", "renamecollection");
  static final Map<String, AtomicLong> COUNTERS = new TreeMap<>();

  static {
    for (String name : List.of("insert", "update", "delete", "findAndModify", "find", "aggregate", "count", "getMore", "command"))
      COUNTERS.put(name, new AtomicLong());
  }

  static Document handle(String command, Document query, Supplier<Document> server, Runnable sync) {
    COUNTERS.getOrDefault(command, COUNTERS.get("command")).incrementAndGet();
    if (!WRITES.contains(command.toLowerCase())) {
      Document reply = server.get();
      if (reply != null && reply.containsKey("maxWriteBatchSize")) reply.put("maxWriteBatchSize", 100000);
      return reply;
    }
    synchronized (COUNTERS) {
      return write(command, query, server, sync);
    }
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
          return handle(command, query, () -> super.handleCommand(channel, database, command, query), () -> { });
        }
        @Override public Document getServerStatus() { return withCounters(super.getServerStatus()); }
      };
    }
    MVStore store = new MVStore.Builder().fileName(storage.substring("h2:".length())).autoCommitDisabled().open();
    return new H2Backend(store) {
      @Override public Document handleCommand(Channel channel, String database, String command, Document query) {
        return handle(command, query, () -> super.handleCommand(channel, database, command, query),
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
