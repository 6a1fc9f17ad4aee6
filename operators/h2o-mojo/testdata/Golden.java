import hex.genmodel.MojoModel;
import hex.genmodel.algos.kmeans.KMeansMojoModel;
import hex.genmodel.easy.EasyPredictModelWrapper;
import hex.genmodel.easy.RowData;
import hex.genmodel.easy.prediction.AutoEncoderModelPrediction;
import hex.genmodel.easy.prediction.BinomialModelPrediction;
import hex.genmodel.easy.prediction.ClusteringModelPrediction;
import hex.genmodel.easy.prediction.MultinomialModelPrediction;
import hex.genmodel.easy.prediction.OrdinalModelPrediction;
import hex.genmodel.easy.prediction.RegressionModelPrediction;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.StringJoiner;

/**
 * Scores FOLDER/NAME.rows.csv with FOLDER/NAME.zip on H2O's own Java runtime and writes
 * FOLDER/NAME.golden.csv, for each NAME. README.md describes the files.
 *
 * <pre>java -cp h2o.jar:CLASSES Golden FOLDER NAME...</pre>
 *
 * A NAME with ":COLUMN" behind it is scored once more, with the offset of each row taken from that
 * column and handed to predict, into FOLDER/NAME.offset.golden.csv.
 */
public final class Golden {
    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        for (int i = 1; i < args.length; i++) {
            String[] parts = args[i].split(":");
            score(folder, parts[0], null);
            if (parts.length > 1) {
                score(folder, parts[0], parts[1]);
            }
        }
    }

    private static void score(Path folder, String name, String offsetColumn) throws Exception {
        MojoModel mojo = MojoModel.load(folder.resolve(name + ".zip").toString());
        EasyPredictModelWrapper model =
                new EasyPredictModelWrapper(
                        new EasyPredictModelWrapper.Config()
                                .setModel(mojo)
                                .setUseExtendedOutput(true)
                                .setConvertUnknownCategoricalLevelsToNa(true));
        List<String> lines = Files.readAllLines(folder.resolve(name + ".rows.csv"));
        String separator = lines.get(0).contains("\t") ? "\t" : ",";
        String[] header = lines.get(0).split(separator, -1);
        String suffix = offsetColumn == null ? ".golden.csv" : ".offset.golden.csv";
        try (PrintWriter out = new PrintWriter(folder.resolve(name + suffix).toFile(), "UTF-8")) {
            out.print(heading(mojo) + "\n");
            for (String line : lines.subList(1, lines.size())) {
                RowData row = new RowData();
                String[] fields = line.split(separator, -1);
                for (int i = 0; i < header.length; i++) {
                    if (!fields[i].equals("NA")) {
                        row.put(header[i], fields[i]);
                    } else if (name.contains("-encoded-")) {
                        row.put(header[i], Double.NaN);
                    }
                }
                out.print(answer(model, row, offsetColumn) + "\n");
            }
        }
    }

    private static String heading(MojoModel mojo) {
        switch (mojo.getModelCategory()) {
            case AnomalyDetection:
            case BinomialUplift:
            case CoxPH:
            case DimReduction:
                return String.join(",", mojo.getOutputNames());
            case AutoEncoder:
                return "reconstruction_error," + String.join(",", mojo.getOutputNames());
            case Clustering:
                StringJoiner clusters = new StringJoiner(",");
                clusters.add("cluster");
                for (int i = 0; i < ((KMeansMojoModel) mojo).getNumClusters(); i++) {
                    clusters.add("distance_" + i);
                }
                return clusters.toString();
            default:
        }
        if (mojo.nclasses() == 1) {
            return "value";
        }
        StringJoiner joiner = new StringJoiner(",");
        joiner.add("label");
        String[] levels = mojo.getDomainValues(mojo.getResponseIdx());
        for (int i = 0; i < mojo.nclasses(); i++) {
            joiner.add("p_" + (levels == null ? Integer.toString(i) : levels[i]));
        }
        if (mojo.calibrateClassProbabilities(new double[mojo.nclasses() + 1])) {
            for (String level : levels) {
                joiner.add("cal_" + level);
            }
        }
        return joiner.toString();
    }

    private static String answer(EasyPredictModelWrapper model, RowData row, String offsetColumn) {
        try {
            double offset =
                    offsetColumn == null ? 0 : Double.parseDouble((String) row.get(offsetColumn));
            switch (model.m.getModelCategory()) {
                case Binomial:
                    BinomialModelPrediction binomial = model.predictBinomial(row, offset);
                    String raw = join(binomial.label, binomial.classProbabilities);
                    return binomial.calibratedClassProbabilities == null
                            ? raw
                            : join(raw, binomial.calibratedClassProbabilities);
                case Multinomial:
                    MultinomialModelPrediction multinomial = model.predictMultinomial(row, offset);
                    return join(multinomial.label, multinomial.classProbabilities);
                case Ordinal:
                    OrdinalModelPrediction ordinal = model.predictOrdinal(row, offset);
                    return join(ordinal.label, ordinal.classProbabilities);
                case AnomalyDetection:
                    return join(model.predictAnomalyDetection(row).toPreds());
                case AutoEncoder:
                    AutoEncoderModelPrediction encoded = model.predictAutoEncoder(row);
                    return join(Double.toString(encoded.mse), encoded.reconstructed);
                case BinomialUplift:
                    return join(model.predictUpliftBinomial(row).predictions);
                case Clustering:
                    ClusteringModelPrediction cluster = model.predictClustering(row);
                    return join(Integer.toString(cluster.cluster), cluster.distances);
                case CoxPH:
                    return Double.toString(model.predictCoxPH(row, offset).value);
                case DimReduction:
                    return join(model.predictDimReduction(row).dimensions);
                default:
                    return Double.toString(model.predictRegression(row, offset).value);
            }
        } catch (Exception e) {
            return "error," + e.getClass().getSimpleName() + ": " + e.getMessage();
        }
    }

    private static String join(String label, double[] probabilities) {
        return label + "," + join(probabilities);
    }

    private static String join(double[] values) {
        StringJoiner joiner = new StringJoiner(",");
        for (double value : values) {
            joiner.add(Double.toString(value));
        }
        return joiner.toString();
    }
}
