import hex.genmodel.MojoModel;
import hex.genmodel.easy.EasyPredictModelWrapper;
import hex.genmodel.easy.RowData;
import hex.genmodel.easy.prediction.BinomialModelPrediction;
import java.io.BufferedWriter;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * Scores flight records, as comma separated lines of 31 columns, with H2O's own Java runtime.
 *
 * <pre>
 *   java -cp h2o.jar:CLASSES FlightScorer golden MOJO LINES           one "label,p_YES" per line
 *   java -cp h2o.jar:CLASSES FlightScorer bench  MOJO LINES SECONDS   rows per second, one thread
 * </pre>
 *
 * A first line that starts with "Year," is a header and is skipped.
 */
public final class FlightScorer {
    /** Names and positions of the eight features among the 31 columns of a flight record. */
    private static final String[] NAMES = {
        "Year", "Month", "DayofMonth", "DayOfWeek", "CRSDepTime", "UniqueCarrier", "Origin", "Dest"
    };

    private static final int[] POSITIONS = {0, 1, 2, 3, 5, 8, 16, 17};

    public static void main(String[] args) throws Exception {
        if (args.length == 3 && args[0].equals("golden")) {
            golden(load(args[1]), lines(args[2]));
        } else if (args.length == 4 && args[0].equals("bench")) {
            bench(load(args[1]), lines(args[2]), Double.parseDouble(args[3]));
        } else {
            System.err.println("usage: FlightScorer golden MOJO LINES | bench MOJO LINES SECONDS");
            System.exit(2);
        }
    }

    /** Carriers and airports that the model has not seen count as missing, instead of as an error. */
    private static EasyPredictModelWrapper load(String mojo) throws Exception {
        return new EasyPredictModelWrapper(
                new EasyPredictModelWrapper.Config()
                        .setModel(MojoModel.load(mojo))
                        .setConvertUnknownCategoricalLevelsToNa(true));
    }

    /** Tail numbers in the real data are not all UTF-8; Latin-1 reads any byte. */
    private static List<String> lines(String path) throws Exception {
        List<String> lines = Files.readAllLines(Path.of(path), StandardCharsets.ISO_8859_1);
        boolean header = !lines.isEmpty() && lines.get(0).startsWith("Year,");
        return header ? lines.subList(1, lines.size()) : lines;
    }

    /** Missing is "NA" or empty; a missing feature is left out of the row. */
    private static RowData row(String line) {
        String[] fields = line.split(",", -1);
        RowData row = new RowData();
        for (int i = 0; i < NAMES.length; i++) {
            String text = fields[POSITIONS[i]];
            if (!text.isEmpty() && !text.equals("NA")) {
                row.put(NAMES[i], text);
            }
        }
        return row;
    }

    private static void golden(EasyPredictModelWrapper model, List<String> lines) throws Exception {
        Set<String> carriers = Set.of(model.m.getDomainValues("UniqueCarrier"));
        Set<String> origins = Set.of(model.m.getDomainValues("Origin"));
        Set<String> dests = Set.of(model.m.getDomainValues("Dest"));
        int unseen = 0;
        int yes = 0;
        try (Writer out =
                new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8))) {
            out.write("label,p_YES\n");
            for (String line : lines) {
                RowData row = row(line);
                if (!seen(carriers, row.get("UniqueCarrier"))
                        || !seen(origins, row.get("Origin"))
                        || !seen(dests, row.get("Dest"))) {
                    unseen++;
                }
                BinomialModelPrediction p = model.predictBinomial(row);
                yes += p.labelIndex;
                out.write(p.label);
                out.write(',');
                out.write(Double.toString(p.classProbabilities[1]));
                out.write('\n');
            }
        }
        System.err.printf(
                "%d rows, %d YES, %d with a level that the model has not seen%n",
                lines.size(), yes, unseen);
    }

    private static boolean seen(Set<String> levels, Object value) {
        return value == null || levels.contains(value);
    }

    /** Splits and scores the lines over and over: a warm-up as long as the measurement, then that. */
    private static void bench(EasyPredictModelWrapper model, List<String> lines, double seconds)
            throws Exception {
        pass(model, lines, seconds);
        long start = System.nanoTime();
        long[] counts = pass(model, lines, seconds);
        double elapsed = (System.nanoTime() - start) / 1e9;
        System.out.printf(
                java.util.Locale.ROOT,
                "rows_per_second=%.0f rows=%d seconds=%.2f yes_share=%.4f%n",
                counts[0] / elapsed, counts[0], elapsed, (double) counts[1] / counts[0]);
    }

    private static long[] pass(EasyPredictModelWrapper model, List<String> lines, double seconds)
            throws Exception {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        long rows = 0;
        long yes = 0;
        for (int i = 0; System.nanoTime() < end; i = i + 1 == lines.size() ? 0 : i + 1) {
            // The answer is used, so that the compiler cannot drop the work.
            yes += model.predictBinomial(row(lines.get(i))).labelIndex;
            rows++;
        }
        return new long[] {rows, yes};
    }
}
