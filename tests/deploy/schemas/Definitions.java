import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Prints a JSON Schema, closed and with one alternative for each `type`, of the `spec` of the classes that are named in the
 * arguments. Strimzi publishes these classes, which its operator reads the resources with, but not the definitions that it makes
 * of them. Limits of numbers and lengths are not in the schemas: their annotations are not published either.
 */
public class Definitions {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    /** Where the classes keep the fields that they do not know. */
    private static final String PRESERVED = "additionalProperties";

    public static void main(String[] classes) throws Exception {
        Map<String, Object> schemas = new LinkedHashMap<>();
        for (String name : classes) {
            Class<?> spec = Class.forName(name).getMethod("getSpec").getReturnType();
            schemas.put(Class.forName(name).getSimpleName(), schema(MAPPER.constructType(spec)));
        }
        System.out.println(MAPPER.writeValueAsString(schemas));
    }

    private static Map<String, Object> schema(JavaType type) {
        Class<?> raw = type.getRawClass();
        if (type.isCollectionLikeType() || type.isArrayType()) {
            return of("array", "items", schema(type.getContentType()));
        }
        if (raw == String.class) {
            return of("string");
        }
        if (raw == Boolean.class || raw == boolean.class) {
            return of("boolean");
        }
        if (raw == Double.class || raw == double.class || raw == Float.class || raw == float.class) {
            return of("number");
        }
        if (Number.class.isAssignableFrom(raw) || raw == int.class || raw == long.class || raw == short.class) {
            return of("integer");
        }
        if (raw.isEnum()) {
            return of("string", "enum", MAPPER.convertValue(raw.getEnumConstants(), List.class));
        }
        if (!raw.getName().startsWith("io.strimzi.")) {
            return raw == Object.class ? new LinkedHashMap<>() : of("object");
        }
        JsonSubTypes kinds = raw.getAnnotation(JsonSubTypes.class);
        return kinds == null ? object(type, null, null) : alternatives(raw, kinds);
    }

    private static Map<String, Object> alternatives(Class<?> raw, JsonSubTypes kinds) {
        String discriminator = raw.getAnnotation(JsonTypeInfo.class).property();
        List<Object> alternatives = new ArrayList<>();
        for (JsonSubTypes.Type kind : kinds.value()) {
            alternatives.add(object(MAPPER.constructType(kind.value()), discriminator, kind.name()));
        }
        Map<String, Object> made = new LinkedHashMap<>();
        made.put("oneOf", alternatives);
        return made;
    }

    private static Map<String, Object> object(JavaType type, String discriminator, String name) {
        Map<String, Object> properties = new LinkedHashMap<>();
        List<String> required = new ArrayList<>();
        for (BeanPropertyDefinition property : MAPPER.getDeserializationConfig().introspect(type).findProperties()) {
            boolean isSet = property.hasSetter() || property.hasConstructorParameter() || property.hasField();
            if (isSet && !PRESERVED.equals(property.getName()) && !property.getName().equals(discriminator)) {
                properties.put(property.getName(), schema(property.getPrimaryType()));
                if (property.isRequired()) {
                    required.add(property.getName());
                }
            }
        }
        if (discriminator != null) {
            properties.put(discriminator, Map.of("const", name));
            required.add(discriminator);
        }
        Map<String, Object> made = of("object", "properties", properties);
        made.put("additionalProperties", false);
        if (!required.isEmpty()) {
            made.put("required", required);
        }
        return made;
    }

    private static Map<String, Object> of(String type) {
        Map<String, Object> made = new LinkedHashMap<>();
        made.put("type", type);
        return made;
    }

    private static Map<String, Object> of(String type, String key, Object value) {
        Map<String, Object> made = of(type);
        made.put(key, value);
        return made;
    }
}
