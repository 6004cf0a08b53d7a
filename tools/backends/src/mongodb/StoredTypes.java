import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.ObjectId;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;
import org.h2.mvstore.type.ObjectDataType;

/**
 * How documents and their ids lie in the file: as BSON. The library by itself serializes Java objects and compares keys by
 * those bytes, which costs ten times the time of the whole insert.
 */
final class StoredTypes {
  private StoredTypes() { }

  static final class Documents extends BasicDataType<Document> {
    @Override public Document[] createStorage(int size) { return new Document[size]; }
    /** An estimate, by which the store decides what stays in its cache. */
    @Override public int getMemory(Document document) {
      int bytes = 64;
      for (Object value : document.values()) bytes += 120 + (value instanceof CharSequence text ? text.length() : 0);
      return bytes;
    }
    @Override public void write(WriteBuffer target, Document document) {
      ByteBuf bson = Unpooled.buffer(1024);
      BsonEncoder.encodeDocument(document, bson);
      target.put(bson.array(), bson.arrayOffset(), bson.readableBytes());
    }
    @Override public Document read(ByteBuffer source) {
      int length = Integer.reverseBytes(source.getInt(source.position()));
      ByteBuffer own = source.slice(source.position(), length);
      source.position(source.position() + length);
      return BsonDecoder.decodeBson(Unpooled.wrappedBuffer(own));
    }
  }

  /** An ObjectId, alone or as the only part of a key of an index, is twelve bytes; everything else is left to the library. */
  static final class Keys extends BasicDataType<Object> {
    private static final ObjectDataType OTHERS = new ObjectDataType();
    @Override public Object[] createStorage(int size) { return new Object[size]; }
    @Override public int getMemory(Object key) { return idOf(key) == null ? OTHERS.getMemory(key) : 64; }
    @Override public int compare(Object a, Object b) {
      ObjectId left = idOf(a);
      ObjectId right = idOf(b);
      if (left == null && right == null) return OTHERS.compare(a, b);
      return left == null ? 1 : right == null ? -1 : left.compareTo(right);
    }
    @Override public void write(WriteBuffer target, Object key) {
      ObjectId id = idOf(key);
      target.put((byte) (id == null ? 0 : key instanceof KeyValue ? 2 : 1));
      if (id == null) OTHERS.write(target, key);
      else target.put(id.toByteArray());
    }
    @Override public Object read(ByteBuffer source) {
      int kind = source.get();
      if (kind == 0) return OTHERS.read(source);
      byte[] bytes = new byte[12];
      source.get(bytes);
      ObjectId id = new ObjectId(bytes);
      return kind == 1 ? id : new KeyValue(id);
    }
    private static ObjectId idOf(Object key) {
      if (key instanceof ObjectId id) return id;
      return key instanceof KeyValue value && value.size() == 1 && value.get(0) instanceof ObjectId id ? id : null;
    }
  }
}
