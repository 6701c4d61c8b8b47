import pytest

from components.image_example_gen.listing.split_names import SplitName, split_name, split_of


@pytest.mark.parametrize(
    ("split", "names"),
    [
        (
            "train",
            "train Train TRAINING training_set training-set trainset train_data TrainImages "
            "train.images data_train images-train train_dataset",
        ),
        (
            "validation",
            "val valid VALIDATION validation_set val-images dev devset dev_set eval Evaluation",
        ),
        ("test", "test Testing test_set test-set testset TEST_IMAGES test.data testing_images"),
    ],
)
def test_a_split_is_known_by_its_usual_names(split: str, names: str) -> None:
    assert {name: split_of(name) for name in names.split()} == dict.fromkeys(names.split(), split)
    assert split_of(" train set ") == "train"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "cat",
            "trains",
            "trainer",
            "tests",
            "contest",
            "latest",
            "device",
            "invalid",
            "medieval",
        ),
        *(
            "data",
            "set",
            "images",
            "",
            "training_validation",
            "train2",
            "freight train",
            "test tube",
        ),
    ],
)
def test_other_names_mean_no_split(name: str) -> None:
    assert split_of(name) is None


def test_names_of_one_data_set_have_one_stem() -> None:
    assert split_name("seg_train") == SplitName("train", ("seg",))
    assert split_name("seg_test_images") == SplitName("test", ("seg",))
    assert split_name("train2017") == SplitName("train", ("2017",))
    assert split_name("val2017") == SplitName("validation", ("2017",))
