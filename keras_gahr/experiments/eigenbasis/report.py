"""The report of `eigenbasis`: figure 3 of arXiv 2310.02557."""

from keras_gahr.report.document import Section

from ..basis_report import bases_text, factor_picture, factor_table, vectors_slider
from .findings import SOURCE

PAPER = dict(
    zip(
        (5, 17, 41, 65, 89, 113, 137, 161, 185, 209, 233, 245),
        (1.244, 1.115, 1.008, 0.93, 0.857, 0.792, 0.718, 0.663, 0.612, 0.569, 0.53, 0.51),
        strict=True,
    )
)
"""The factors in the paper, by their number."""


def answer(bases, found):
    vectors = len(bases[0].factors)
    factors = ", ".join(f"{value:.2f}" for value in bases[0].factors[::12][:4])
    return (
        f"In a basis with an effective dimension of {100 * found.dimensions.mean():.1f} % of the "
        f"pixels; at the first image every twelfth factor is {factors} ... The first {vectors} vectors "
        f"at an image leave {found.own.mean():.1f} dB of it, those at another "
        f"{found.other.mean():.1f} dB."
    )


def bases_section(bases):
    return Section(
        "Bases",
        [bases_text(bases)],
        [
            vectors_slider(
                bases[0],
                "Eigenvectors at the first image with their factors. Those of the paper's Fig. 3 "
                "oscillate along contours and in smooth regions.",
            ),
            factor_picture(bases, SOURCE, PAPER),
            factor_table(bases, PAPER),
        ],
    )


def numbers(bases, found):
    return {
        "effective_dimension_share": found.dimensions.tolist(),
        "left_by_own_db": found.own.tolist(),
        "left_by_other_db": found.other.tolist(),
        "rank_correlation_of_frequency": found.rising.tolist(),
        "density_on_contours": found.crowding.tolist(),
        "bases": [each.numbers() for each in bases],
    }
