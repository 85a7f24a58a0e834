"""The one table of tolerances: relative errors that tests allow, each with its reason."""

RTOL = {
    # a measure against its twin in the same precision, sums of up to some thousand terms taken in another order
    "float64": 1e-11,
    "float32": 2e-5,
    # a member of an ensemble against the same seed trained alone in float64
    "member": 1e-12,
    # eigenvectors from a Gram matrix: rounding divided by the gap between the top two eigenvalues
    "eigenvector": 1e-8,
    # singular values near 0 that come from the eigenvalues of a Gram matrix, relative to the largest value
    "gram": 1e-7,
    # closed-form dynamics against a network really trained: what the linear theory itself leaves out at λ1·t ≤ 5
    "linear dynamics": 1e-4,
    # an effective layer against the layer it replaces: the next power of |w·x| ~ 1e-3, and noise in the directions
    "reduction": 1e-3,
    # an angle read off by linear interpolation between grid points a quarter of a degree apart
    "grid angle": 1e-4,
}


def rtol(reason: str) -> float:
    """The tolerance of that name, so that a test names why it is not exact."""
    return RTOL[reason]
