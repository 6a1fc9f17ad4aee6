import hex.genmodel.algos.tree.ScoreTree;
import hex.genmodel.algos.tree.ScoreTree0;
import hex.genmodel.algos.tree.ScoreTree1;
import hex.genmodel.algos.tree.ScoreTree2;
import java.io.ByteArrayOutputStream;
import java.util.Random;

/**
 * Writes random trees of every format, random rows, and the leaf that H2O's own scorer comes to:
 *
 *   java -cp h2o.jar Trees.java > golden.csv
 *
 * A line is: MOJO version, the tree's bytes (hexadecimal), the row's four values, the leaf.
 * Columns 0 and 1 are numbers, 2 has 5 categories, 3 has 70. No tree of a trained model has all
 * that is in these: sets that cover a part of a domain, tests for missing values below sets,
 * sizes in more bytes than they need.
 */
public class Trees {
    static final Random random = new Random(20);
    static final String[][] domains = {null, null, new String[5], new String[70]};
    static int format;
    static int leaf;

    static void number(ByteArrayOutputStream out, long value, int bytes) {
        for (int i = 0; i < bytes; i++) out.write((int) (value >> 8 * i) & 255);
    }

    static void leaf(ByteArrayOutputStream out) {
        number(out, Float.floatToIntBits(leaf++), 4);
    }

    static byte[] node(int depth) {
        ByteArrayOutputStream left = new ByteArrayOutputStream(), right = new ByteArrayOutputStream();
        boolean leftLeaf = depth == 0 || random.nextInt(4) == 0;
        boolean rightLeaf = depth == 0 || random.nextInt(4) == 0;
        if (leftLeaf) leaf(left); else left.writeBytes(node(depth - 1));
        if (rightLeaf) leaf(right); else right.writeBytes(node(depth - 1));

        int column = random.nextInt(4);
        int equal = column < 2 ? 0 : new int[] {0, 8, 12, 12}[random.nextInt(4)];
        int direction = 1 + random.nextInt(5);
        int size = left.size() < 256 ? random.nextInt(4) : 1 + random.nextInt(3);
        int kind = equal | (leftLeaf ? 0x30 : size) | (rightLeaf ? 0xC0 : 0);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(kind);
        number(out, column, 2);
        out.write(direction);
        if (direction != 1) {
            if (equal == 0) {
                float split = column < 2 ? (float) random.nextGaussian() : random.nextInt(6) - 0.5f;
                number(out, Float.floatToIntBits(split), 4);
            } else if (equal == 8) {
                number(out, random.nextInt(), 4);
            } else {
                int first = random.nextInt(column == 2 ? 3 : 40);
                int bytes = 1 + random.nextInt(column == 2 ? 1 : 6);
                int bits = 8 * bytes - random.nextInt(8);
                number(out, first, 2);
                if (format == 2) number(out, bits, 4); else number(out, bytes, 2);
                byte[] set = new byte[bytes];
                random.nextBytes(set);
                out.writeBytes(set);
            }
        }
        if (!leftLeaf) number(out, left.size(), size + 1);
        out.writeBytes(left.toByteArray());
        out.writeBytes(right.toByteArray());
        return out.toByteArray();
    }

    static double value(int column) {
        if (random.nextInt(6) == 0) return Double.NaN;
        if (column < 2) return random.nextGaussian();
        return random.nextInt(domains[column].length + 3);
    }

    public static void main(String[] arguments) {
        ScoreTree[] scorers = {new ScoreTree0(), new ScoreTree1(), new ScoreTree2()};
        String[] versions = {"1.00", "1.10", "1.20"};
        for (int i = 0; i < 120; i++) {
            format = i % 3;
            leaf = 1;
            byte[] tree = node(1 + random.nextInt(4));
            StringBuilder hex = new StringBuilder();
            for (byte b : tree) hex.append(String.format("%02x", b));
            for (int j = 0; j < 8; j++) {
                double[] row = new double[4];
                for (int c = 0; c < 4; c++) row[c] = value(c);
                double found = scorers[format].scoreTree(tree, row, false, domains);
                System.out.println(versions[format] + "," + hex + "," + row[0] + "," + row[1] + ","
                    + row[2] + "," + row[3] + "," + found);
            }
        }
    }
}
