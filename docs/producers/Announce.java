// Hand one image in and announce it on Kafka, with the JDK and kafka-clients: java -cp 'JARS/*' Announce.java IMAGE
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Announce {
    static final Map<String, String> ENV = System.getenv();

    public static void main(String[] arguments) throws Exception {
        byte[] image = Files.readAllBytes(Path.of(arguments[0]));
        String digest = sha256(image);
        String producer = ENV.get("PRODUCER");
        handIn(image, digest);

        // The same image always has the same id, so sending it again changes nothing.
        String id = sha256((producer + "/" + digest).getBytes(StandardCharsets.UTF_8));
        byte[] key = id.getBytes(StandardCharsets.UTF_8);
        byte[] value = event(producer, id, digest, image.length).getBytes(StandardCharsets.UTF_8);
        List<Header> headers = List.of(
            new RecordHeader("content-type", "application/cloudevents+json".getBytes(StandardCharsets.UTF_8)),
            new RecordHeader("assent-signature", signature(key, key, value)));
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", ENV.get("KAFKA"),
            "compression.type", ENV.getOrDefault("CODEC", "snappy"),
            "acks", "all");
        try (var client = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            client.send(new ProducerRecord<>("images.scraped", null, key, value, headers)).get(30, TimeUnit.SECONDS);
        }
    }

    /** The bytes, into the producer's own area. */
    static void handIn(byte[] image, String digest) throws Exception {
        HttpRequest put = HttpRequest.newBuilder(URI.create(ENV.get("REGISTRY") + "/v1/intake/" + digest))
            .timeout(Duration.ofSeconds(60))
            .header("Authorization", "Bearer " + ENV.get("TOKEN"))
            .PUT(HttpRequest.BodyPublishers.ofByteArray(image))
            .build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(put, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 201) {
            throw new IllegalStateException(answer.statusCode() + " " + answer.body());
        }
        System.out.println(answer.body());
    }

    static String event(String producer, String id, String digest, int size) {
        String now = Instant.now().toString();
        return """
            {"specversion": "1.0", "id": "%2$s", "source": "/%1$s", "type": "images.scraped.v1", "time": "%5$s",
             "datacontenttype": "application/json",
             "data": {"sighting": {"sighting_id": "%2$s", "image_id": "%3$s", "producer": "%1$s", "source_kind": "producer",
              "blob": "intake/%1$s/%3$s", "sha256": "%3$s", "size_bytes": %4$d, "media_type": "image/jpeg",
              "fetched_at": "%5$s"}}}
            """.formatted(producer, id, digest, size, now);
    }

    /** Ed25519 over id, key and value, each after its length in four bytes, big-endian. */
    static byte[] signature(byte[]... parts) throws Exception {
        ByteArrayOutputStream framed = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(framed);
        for (byte[] part : parts) {
            out.writeInt(part.length);
            out.write(part);
        }
        Signature signer = Signature.getInstance("Ed25519");
        signer.initSign(privateKey());
        signer.update(framed.toByteArray());
        return signer.sign();
    }

    static PrivateKey privateKey() throws Exception {
        String pem = Files.readString(Path.of(ENV.get("KEY_FILE"))).replaceAll("-----[A-Z ]+-----|\\s", "");
        return KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
    }

    static String sha256(byte[] data) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(data));
    }
}
