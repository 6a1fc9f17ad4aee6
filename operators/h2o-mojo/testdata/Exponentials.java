import java.io.PrintWriter;
import java.util.Random;

/**
 * Writes exp.csv: numbers and what Math.exp makes of them, as the bits of doubles. To be run on
 * x86-64, where OpenJDK has one exponential for interpreted and compiled code; README.md.
 *
 * <pre>java Exponentials.java FOLDER/exp.csv</pre>
 */
public final class Exponentials {
    public static void main(String[] args) throws Exception {
        double[] edges = {
            0.0, -0.0, 1.0, -1.0, 0x1p-54, -0x1p-54, 0x1p-55, Double.MIN_VALUE, Double.MAX_VALUE,
            709.782712893384, 709.7827128933841, 710.0, 1023.999, 1024.0, -707.0, -708.3964185322641,
            -708.39641853226408, -708.4, -720.0, -744.4400719213812, -745.1332191019411, -745.2,
            -746.0, -1023.0, -1024.0, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY,
            Double.NaN, 618.3, 620.0, -619.0, -620.0, -618.0
        };
        Random random = new Random(20261129);
        try (PrintWriter out = new PrintWriter(args[0], "UTF-8")) {
            out.print("x,exp\n");
            for (double edge : edges) {
                print(out, edge);
            }
            for (int i = 0; i < 600; i++) {
                switch (i % 4) {
                    case 0: print(out, random.nextDouble() * 40 - 20); break;
                    case 1: print(out, random.nextDouble() * 2 - 1); break;
                    case 2: print(out, random.nextDouble() * 1500 - 750); break;
                    default: print(out, -700 - random.nextDouble() * 46);
                }
            }
        }
    }

    private static void print(PrintWriter out, double x) {
        out.print(
                Long.toHexString(Double.doubleToLongBits(x))
                        + ","
                        + Long.toHexString(Double.doubleToLongBits(Math.exp(x)))
                        + "\n");
    }
}
